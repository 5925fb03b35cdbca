"""botocore's data, found without a search: what STS and IAM need of it, and no more.

botocore looks into the directories of all its services to find one, and parses the endpoints of
all, a megabyte, for one: together these take longer than the call. What is loaded are its own
files, or those that a person has put beside them, as botocore itself would load them.
"""

from __future__ import annotations

import os
from typing import Any

from botocore.loaders import Loader

_SERVICES = ("iam", "sts")
# A service's rule set says where a call goes and for which region it is signed. Of the list of all
# endpoints only two things still count: what a person put into it, and whether a variant exists.
_NO_ENDPOINTS: dict[str, list[Any]] = {"partitions": []}
_VARIANTS = ("use_dualstack_endpoint", "use_fips_endpoint")


def use_lean_data(session: Any, *, region: str) -> None:
    """Give a botocore session, which is for STS and IAM in this region, a loader that does not search."""
    # A region may ask for a variant, too: fips-us-east-1.
    has_variant = "fips" in region or any(session.get_config_variable(name) for name in _VARIANTS)
    search_paths = session.get_component("data_loader").search_paths
    session.register_component("data_loader", LeanLoader(search_paths, has_variant=has_variant))


class LeanLoader(Loader):  # type: ignore[misc]  # botocore has no types
    """botocore's own loader, for clients of STS and IAM alone."""

    def __init__(self, search_paths: list[str], *, has_variant: bool = False) -> None:
        super().__init__(search_paths, include_default_search_paths=False)
        self._has_variant = has_variant

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002  # all have both
        """Return the services that we call."""
        return list(_SERVICES)

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """Return some data, and where it comes from."""
        if name == "endpoints" and not self._has_variant and self._is_all_botocores():
            return _NO_ENDPOINTS, os.path.join(self.BUILTIN_DATA_PATH, name)
        found: tuple[Any, str] = super().load_data_with_path(name)
        return found

    def _is_all_botocores(self) -> bool:
        return [path for path in self.search_paths if os.path.isdir(path)] == [self.BUILTIN_DATA_PATH]
