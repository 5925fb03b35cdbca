"""What the sandbox saw, in the words that tests ask in."""

from tests.aws.sandbox import Aws, Call


def calls_of(aws: Aws, action: str) -> list[Call]:
    """The calls of one action, in the order in which they came."""
    return [call for call in tuple(aws.calls) if call.action == action]


def codes_sent(aws: Aws) -> int:
    """How many calls carried a token code, answered or not."""
    return sum("TokenCode" in call.parameters for call in tuple(aws.calls))


def sessions_made(aws: Aws) -> tuple[str, ...]:
    """The calls that gave a session, in their order."""
    makers = ("AssumeRole", "GetSessionToken")
    return tuple(call.action for call in tuple(aws.calls) if call.action in makers and call.status == 200)


def session_names(aws: Aws) -> list[str]:
    """The role session names that were asked for."""
    return [call.parameters["RoleSessionName"] for call in calls_of(aws, "AssumeRole")]


def durations(aws: Aws) -> list[tuple[str, int]]:
    """What each session was asked to last, in seconds."""
    return [
        (call.action, int(call.parameters["DurationSeconds"]))
        for call in tuple(aws.calls)
        if "DurationSeconds" in call.parameters
    ]
