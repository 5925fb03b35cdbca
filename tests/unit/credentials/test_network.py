from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gds_exec.credentials.network import (
    check_ca_bundle,
    check_endpoint,
    is_private,
    refused_by_proxy,
    unusable_proxy,
)
from gds_exec.errors import BrokenProfile


@pytest.mark.parametrize(
    ("url", "host"),
    [
        pytest.param(None, None, id="AWS's own"),
        pytest.param("http://127.0.0.1:4566", None, id="this machine"),
        pytest.param("http://127.8.9.1", None, id="this machine, another address"),
        pytest.param("http://localhost:4566", None, id="localhost"),
        pytest.param("https://127.0.0.1:65535/", None, id="this machine, with TLS"),
        pytest.param("http://[::1]:4566", None, id="this machine by IPv6"),
        pytest.param("https://sts.eu-west-2.amazonaws.com", None, id="AWS"),
        pytest.param("https://vpce-1.sts.eu-west-2.vpce.amazonaws.com", None, id="a VPC endpoint"),
        pytest.param("https://sts.cn-north-1.amazonaws.com.cn", None, id="China"),
        pytest.param("https://STS.Example.COM:8443/x", "sts.example.com", id="somebody else"),
        pytest.param("https://amazonaws.com.evil.example", "amazonaws.com.evil.example", id="looks like AWS"),
        pytest.param("https://evilamazonaws.com", "evilamazonaws.com", id="ends like AWS"),
    ],
)
def test_an_endpoint_that_is_not_of_aws_is_told(url: str | None, host: str | None) -> None:  # matrix 126
    assert check_endpoint(url) == host


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://sts.example.com", id="no TLS"),
        pytest.param("https://sts.amazonaws.com@evil.example", id="AWS as a user name"),
        pytest.param("http://evil.example\\@localhost", id="another parser goes to evil.example"),
        pytest.param("https://evil.example\\@sts.amazonaws.com", id="the same with TLS"),
        pytest.param("http://evil.example\t@localhost", id="a tab"),
        pytest.param("http://sts.eu-west-2.amazonaws.com", id="no TLS to AWS"),
        pytest.param("http://10.0.0.1", id="no TLS in the office"),
        pytest.param("http://localhost.evil.example", id="looks like this machine"),
        pytest.param("http://0.0.0.0", id="any address"),
        pytest.param("http://localhost:65536", id="no such port"),
        pytest.param("http://localhost:٣", id="a port in other digits"),
        pytest.param("sts.example.com", id="no scheme"),
        pytest.param("ftp://sts.example.com", id="another scheme"),
        pytest.param("https://", id="no host"),
        pytest.param("https://[bad", id="half a bracket"),
        pytest.param("https://[nothing]/", id="brackets without an address"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("", id="empty"),
    ],
)
def test_an_endpoint_where_codes_would_travel_readable_is_refused(url: str) -> None:  # matrix 126
    with pytest.raises(BrokenProfile) as failure:
        check_endpoint(url)

    assert "AWS_ENDPOINT_URL" in (failure.value.hint or "")


SCHEMES = ["http", "https", "HTTP", "ftp", ""]
HOSTS = ["127.0.0.1", "localhost", "127.1", "evil.example", "localhost.", "a@localhost", "localhost\\", ""]
PORTS = ["80", "65535", "65536", "0", "00080", "123456", "٣", "²", "8_0", "+1", "-1", " 80", "80 ", ""]
ENDS = ["", "/", "//", "/x", "#", "@evil.example", "\\@evil.example", "\n", "\t", ":80"]


@given(
    st.one_of(
        st.tuples(*map(st.sampled_from, (SCHEMES, ["://", ":", "//"], HOSTS, [":", ""], PORTS, ENDS))),
        st.lists(st.sampled_from([*SCHEMES, *HOSTS, *PORTS, *ENDS, ":", "://"])),
    ).map("".join)
)
@example("http://127.0.0.1:4566")
@example("https://localhost:80/")
@example("http://a@localhost:80")
@example("http://evil.example\\localhost:80")
@example("http://not-localhost:80")
def test_an_endpoint_that_is_known_at_a_glance_is_judged_as_by_the_parser(url: str) -> None:
    in_need_of_a_parser = f"{url}?"  # an empty query: the same host

    assert outcome(url) == outcome(in_need_of_a_parser)


def outcome(url: str) -> str | type[BrokenProfile] | None:
    try:
        return check_endpoint(url)
    except BrokenProfile:
        return BrokenProfile


def test_a_ca_bundle_must_be_there(tmp_path: Path) -> None:  # matrix 51
    check_ca_bundle(None)
    check_ca_bundle(str(tmp_path))
    with pytest.raises(BrokenProfile, match="does not exist") as failure:
        check_ca_bundle(str(tmp_path / "missing.pem"))

    assert "AWS_CA_BUNDLE" in (failure.value.hint or "")


@pytest.mark.parametrize(
    ("environ", "host", "unusable"),
    [
        pytest.param({}, "?", None, id="none"),
        pytest.param({"HTTPS_PROXY": ""}, "?", None, id="empty"),
        pytest.param({"HTTPS_PROXY": "http://user:canary@proxy:3128"}, "proxy", None, id="with a password"),
        pytest.param({"https_proxy": "proxy:3128"}, "proxy", None, id="without a scheme"),
        pytest.param({"HTTPS_PROXY": "http://user:can/ary@proxy:3128"}, "?", "HTTPS_PROXY", id="a slash"),
        pytest.param({"https_proxy": "http://user:can[ary@proxy"}, "?", "https_proxy", id="half a bracket"),
        pytest.param({"HTTP_PROXY": "http://:3128"}, "?", "HTTP_PROXY", id="no host"),
    ],
)
def test_a_proxy_is_named_by_its_host_alone(  # matrix 52
    environ: dict[str, str], host: str, unusable: str | None
) -> None:
    assert refused_by_proxy(environ) == f"the proxy {host} does not let us through"
    assert unusable_proxy(environ) == unusable


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://actions.example/token?v=2", True),
        ("http://127.0.0.1:80/token", True),
        ("http://localhost/token", True),
        ("http://[::1]:80/token", True),
        ("http://actions.example/token", False),
        ("http://127.0.0.1@actions.example/", False),
        ("https://a\\@b/", False),
        ("https://a b/", False),
        ("https://[x/", False),
        ("https://a:port/", False),
        ("ftp://127.0.0.1/", False),
        ("//127.0.0.1/", False),
        ("", False),
    ],
)
def test_what_nobody_reads_has_tls_or_stays_on_this_machine(url: str, expected: bool) -> None:
    assert is_private(url) is expected
