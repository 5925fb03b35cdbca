import json
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import JSONFileLoader

from gds_exec.credentials.botocore_speedups import use_lean_data

SERVICES = {"iam": "list_mfa_devices", "sts": "get_caller_identity"}
NEW_OR_MISSPELT = ["eu-north-99", "xx-nowhere-1", "nowhere"]
A_FEW = ["eu-west-2", "us-east-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1"]


class Sent(NamedTuple):
    """Where a request went, and for which region and service it was signed."""

    url: str
    scope: list[str]


class Caught(Exception):
    """Carries a request out of botocore in the moment in which it would be sent."""


def sent(session: Any, service: str, region: str, endpoint_url: str | None = None) -> Sent | str:
    """Return what botocore would send to AWS, or the name of the error with which it declines."""

    def catch(request: Any, **_: object) -> None:
        raise Caught(request)

    once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    try:
        client = session.create_client(service, region_name=region, endpoint_url=endpoint_url, config=once)
        client.meta.events.register("before-send", catch)
        getattr(client, SERVICES[service])()
    except Caught as caught:
        (request,) = caught.args
        authorization = request.headers["Authorization"].decode()
        return Sent(request.url, authorization.split("Credential=")[1].split(",")[0].split("/")[2:4])
    except BotoCoreError as error:
        return type(error).__name__
    raise AssertionError("nothing was sent")


def stock_session() -> Any:
    session = botocore.session.Session()
    session.set_credentials("AKIAIOSFODNN7EXAMPLE", "secret")
    return session


def lean_session(region: str) -> Any:
    session = stock_session()
    use_lean_data(session, region=region)
    return session


def regions() -> list[str]:
    """Return every region of every partition that botocore knows, with such as `aws-global`."""
    loader = stock_session().get_component("data_loader")
    found = set(NEW_OR_MISSPELT)
    for partition in loader.load_data("endpoints")["partitions"]:
        found |= set(partition["regions"])
        for service in SERVICES:
            found |= set(partition["services"].get(service, {"endpoints": ()})["endpoints"])
    for partition in loader.load_data("partitions")["partitions"]:
        found |= set(partition["regions"])
    return sorted(found)


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_region_of_every_partition_is_reached_and_signed_for_as_by_botocore_alone(service: str) -> None:
    stock, lean, lean_with_fips = stock_session(), lean_session("eu-west-2"), lean_session("us-east-1-fips")
    of_botocore = {region: sent(stock, service, region) for region in regions()}

    for region, request in of_botocore.items():
        assert sent(lean_with_fips if "fips" in region else lean, service, region) == request, region
    assert sum(isinstance(request, Sent) for request in of_botocore.values()) > 30


@pytest.mark.parametrize("service", sorted(SERVICES))
@pytest.mark.parametrize(
    "variables",
    [
        pytest.param(("AWS_USE_FIPS_ENDPOINT",), id="fips"),
        pytest.param(("AWS_USE_DUALSTACK_ENDPOINT",), id="dualstack"),
        pytest.param(("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"), id="both"),
    ],
)
def test_a_variant_of_an_endpoint_is_the_one_that_botocore_finds(
    monkeypatch: pytest.MonkeyPatch, service: str, variables: tuple[str, ...]
) -> None:
    for variable in variables:
        monkeypatch.setenv(variable, "true")
    stock, lean = stock_session(), lean_session(A_FEW[0])

    for region in A_FEW:
        assert sent(lean, service, region) == sent(stock, service, region), region


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_an_endpoint_that_is_given_is_signed_for_as_by_botocore_alone(service: str) -> None:
    stock, url = stock_session(), "https://aws.example"

    for region in [*A_FEW, *NEW_OR_MISSPELT]:
        assert sent(lean_session(region), service, region, url) == sent(stock, service, region, url), region


def test_endpoints_that_a_person_put_beside_botocores_are_heeded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    endpoints = stock_session().get_component("data_loader").load_data("endpoints")
    endpoints["partitions"][0]["services"]["sts"]["endpoints"]["ap-east-1"] = {"hostname": "sts.example"}
    (tmp_path / "endpoints.json").write_text(json.dumps(endpoints))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))

    assert sent(lean_session("ap-east-1"), "sts", "ap-east-1") == Sent(
        "https://sts.example/", ["ap-east-1", "sts"]
    )


class Recorder(JSONFileLoader):
    """Remembers which data were looked for, without the directory that they are in."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.seen: set[str] = set()

    def exists(self, file_path: str) -> bool:
        self.seen.add(file_path.removeprefix(self.directory))
        return bool(super().exists(file_path))

    def load_file(self, file_path: str) -> Any:
        self.seen.add(file_path.removeprefix(self.directory))
        return super().load_file(file_path)


def test_no_other_service_is_looked_at_and_no_list_of_all_endpoints_is_read() -> None:
    session = lean_session("eu-west-2")
    loader = session.get_component("data_loader")
    loader.file_loader = recorder = Recorder(loader.BUILTIN_DATA_PATH)

    sent(session, "sts", "eu-west-2")

    assert {path.split("/")[1] for path in recorder.seen} == {
        "partitions",
        "sdk-default-configuration",
        "sts",
    }
