from gds_exec.cli.commands.renew import with_changes
from gds_exec.invocation import Invocation

OPENED = Invocation(role="admin", region="eu-west-2", tags=("a=1",), transitive_tags=("a",), read_only=True)


def test_an_option_stands_in_for_that_of_the_shell() -> None:
    asked = Invocation(role="", region="eu-west-1", quiet=True)

    assert with_changes(OPENED, asked, {"region"}) == OPENED.but(region="eu-west-1")


def test_a_scope_that_is_asked_for_replaces_the_whole_scope_of_the_shell() -> None:
    asked = Invocation(role="", tags=("b=2",))

    changed = with_changes(OPENED, asked, {"tags"})

    assert changed == Invocation(role="admin", region="eu-west-2", tags=("b=2",))
