from urllib.parse import parse_qs, urlsplit

import pytest

from gds_exec.delivery.console_url import (
    console_for,
    destination,
    federation_endpoint,
    signin_url,
    switch_role_url,
)
from gds_exec.errors import BrokenProfile, NotSupportedYet, UsageError

ROLE = "arn:aws:iam::222222222222:role/admin"
CHINA = "arn:aws-cn:iam::222222222222:role/admin"
GOVERNMENT = "arn:aws-us-gov:iam::222222222222:role/admin"


@pytest.mark.parametrize(
    ("role_arn", "endpoint"),
    [
        pytest.param(ROLE, "https://signin.aws.amazon.com/federation", id="aws"),
        pytest.param(CHINA, "https://signin.amazonaws.cn/federation", id="aws-cn"),
        pytest.param(GOVERNMENT, "https://signin.amazonaws-us-gov.com/federation", id="aws-us-gov"),
    ],
)
def test_every_partition_is_signed_in_to_at_its_own_address(role_arn: str, endpoint: str) -> None:
    assert federation_endpoint(console_for(role_arn)) == endpoint


@pytest.mark.parametrize("url", ["http://127.0.0.1:4566", "http://127.0.0.1:4566/"])
def test_another_endpoint_takes_the_place_of_the_partition_s(url: str) -> None:
    assert federation_endpoint(console_for(CHINA), url) == "http://127.0.0.1:4566/federation"


def test_a_partition_whose_console_is_not_known_is_said() -> None:
    with pytest.raises(NotSupportedYet, match="aws-iso"):
        console_for("arn:aws-iso:iam::222222222222:role/admin")


@pytest.mark.parametrize(
    ("role_arn", "region", "service", "url"),
    [
        pytest.param(
            ROLE,
            "eu-west-2",
            None,
            "https://eu-west-2.console.aws.amazon.com/console/home?region=eu-west-2",
            id="the home page",
        ),
        pytest.param(
            ROLE,
            "eu-west-2",
            "s3",
            "https://eu-west-2.console.aws.amazon.com/s3/home?region=eu-west-2",
            id="s3",
        ),
        pytest.param(ROLE, None, "iam", "https://console.aws.amazon.com/iam/home", id="no region"),
        pytest.param(
            ROLE,
            "eu-west-2",
            "ssm",
            "https://eu-west-2.console.aws.amazon.com/systems-manager/home?region=eu-west-2",
            id="a service that the console calls otherwise",
        ),
        pytest.param(
            CHINA,
            "cn-north-1",
            None,
            "https://cn-north-1.console.amazonaws.cn/console/home?region=cn-north-1",
            id="aws-cn",
        ),
        pytest.param(
            GOVERNMENT,
            "us-gov-west-1",
            "ec2",
            "https://us-gov-west-1.console.amazonaws-us-gov.com/ec2/home?region=us-gov-west-1",
            id="aws-us-gov",
        ),
        pytest.param(
            CHINA, "eu-west-2", None, "https://console.amazonaws.cn/console/home", id="a region of elsewhere"
        ),
        pytest.param(
            ROLE, "cn-north-1", None, "https://console.aws.amazon.com/console/home", id="a region of China's"
        ),
    ],
)
def test_a_sign_in_leads_to_a_page_in_the_session_s_region(
    role_arn: str, region: str | None, service: str | None, url: str
) -> None:
    assert destination(console_for(role_arn), region=region, service=service) == url


@pytest.mark.parametrize(
    ("role_arn", "url"),
    [
        (ROLE, "https://console.aws.amazon.com/"),
        (ROLE, "https://console.aws.amazon.com/s3/buckets/x?region=eu-west-1&tab=objects#here"),
        (ROLE, "https://eu-west-1.console.aws.amazon.com/ec2/home"),
        (ROLE, "https://s3.console.aws.amazon.com"),
        (ROLE, "https://health.aws.amazon.com/health/home"),
        (CHINA, "https://console.amazonaws.cn/s3"),
        (GOVERNMENT, "https://us-gov-east-1.console.amazonaws-us-gov.com/"),
    ],
)
def test_a_page_of_the_role_s_console_is_gone_to_as_it_is(role_arn: str, url: str) -> None:
    assert destination(console_for(role_arn), region="eu-west-2", url=url) == url


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://evil.example/", id="elsewhere"),
        pytest.param("http://console.aws.amazon.com/", id="no TLS"),
        pytest.param("https://console.aws.amazon.com.evil.example/", id="looks like AWS"),
        pytest.param("https://evilconsole.aws.amazon.com/", id="ends like the console"),
        pytest.param("https://console.aws.amazon.com@evil.example/", id="AWS as a user name"),
        pytest.param(
            "https://evil.example\\.console.aws.amazon.com/", id="another parser goes to evil.example"
        ),
        pytest.param("https://evil.example\\@console.aws.amazon.com/", id="the same with a user"),
        pytest.param("https://console.aws.amazon.com:8443/", id="a port"),
        pytest.param("https://console.aws.amazon.com/\n", id="a line break"),
        pytest.param("https://\tevil.example/.console.aws.amazon.com", id="a tab"),
        pytest.param("https://console.aws.amazon.com /", id="a space"),
        pytest.param("https://cönsole.aws.amazon.com/", id="another alphabet"),
        pytest.param("https://[console.aws.amazon.com/", id="half a bracket"),
        pytest.param("https:console.aws.amazon.com/", id="no slashes"),
        pytest.param("//console.aws.amazon.com/", id="no scheme"),
        pytest.param("javascript:alert(1)//console.aws.amazon.com", id="a script"),
        pytest.param("https://console.amazonaws.cn/", id="another partition's"),
        pytest.param("https://s3.amazonaws.com/a-bucket/a-page.html", id="what anybody can put into S3"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_sign_in_leads_nowhere_but_to_the_role_s_console(url: str) -> None:
    with pytest.raises(UsageError, match="not a page of this role's console"):
        destination(console_for(ROLE), url=url)


@pytest.mark.parametrize("service", ["", "s3/../x", "s3?x", "evil.example/", "s3 x", "@", "é"])
def test_what_is_no_service_is_refused(service: str) -> None:
    with pytest.raises(UsageError, match="is no service"):
        destination(console_for(ROLE), service=service)


@pytest.mark.parametrize("region", ["evil.example/", "eu-west-2.evil.example#", "eu west", "@"])
def test_what_is_no_region_cannot_become_a_host(region: str) -> None:
    with pytest.raises(BrokenProfile, match="is no AWS region"):
        destination(console_for(ROLE), region=region)


def test_a_page_and_a_service_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="--open and --service"):
        destination(console_for(ROLE), service="s3", url="https://console.aws.amazon.com/")


def test_the_sign_in_url_carries_the_token_and_where_to_go() -> None:
    where = "https://console.aws.amazon.com/s3/home?region=eu-west-2"

    url = signin_url("https://signin.aws.amazon.com/federation", token="a+token/=&", destination=where)

    assert url.startswith("https://signin.aws.amazon.com/federation?")
    assert parse_qs(urlsplit(url).query) == {
        "Action": ["login"],
        "Issuer": ["gds-exec"],
        "Destination": [where],
        "SigninToken": ["a+token/=&"],
    }


@pytest.mark.parametrize(
    ("role_arn", "name", "url"),
    [
        pytest.param(
            ROLE,
            "prod & co",
            "https://signin.aws.amazon.com/switchrole"
            "?account=222222222222&roleName=admin&displayName=prod+%26+co",
            id="aws",
        ),
        pytest.param(
            "arn:aws:iam::222222222222:role/team/a/admin",
            "prod",
            "https://signin.aws.amazon.com/switchrole"
            "?account=222222222222&roleName=team%2Fa%2Fadmin&displayName=prod",
            id="a role with a path",
        ),
        pytest.param(
            CHINA,
            "prod",
            "https://signin.amazonaws.cn/switchrole?account=222222222222&roleName=admin&displayName=prod",
            id="aws-cn",
        ),
        pytest.param(
            GOVERNMENT,
            "x" * 80,
            "https://signin.amazonaws-us-gov.com/switchrole"
            f"?account=222222222222&roleName=admin&displayName={'x' * 64}",
            id="a longer name than the console takes",
        ),
    ],
)
def test_the_link_to_switch_roles_needs_nothing_but_the_role(role_arn: str, name: str, url: str) -> None:
    assert switch_role_url(role_arn, display_name=name) == url
