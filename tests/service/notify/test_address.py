import ipaddress

import pytest

from service.notify.address import AllowList, is_open

INSIDE = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.9.10", "168.63.129.16", "169.254.0.1",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.0.1", "198.18.0.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "2001::", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "fc00::1", "fd00:ec2::254", "fe80::1",
    "fe80::1%1", "fec0::1", "ff02::1",
]  # fmt: skip
OUTSIDE = [
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]


@pytest.mark.parametrize("text", INSIDE)
def test_inside_addresses_are_closed_in_any_clothes(text: str) -> None:
    assert not is_open(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_public_addresses_are_open(text: str) -> None:
    assert is_open(ipaddress.ip_address(text))


def test_an_allow_list_holds_names_addresses_and_networks() -> None:
    allow = AllowList.parse(["Hooks.Inside.", "10.1.0.0/16", "10.9.9.9", "[fd00::1]", "钩子.example"])
    any_address = ipaddress.ip_address("10.0.0.1")
    assert allow.holds("hooks.inside", any_address)
    assert allow.holds("hooks.inside.", any_address)
    assert allow.holds("xn--i8s974k.example", any_address)
    assert allow.holds("x", ipaddress.ip_address("10.1.2.3"))
    assert allow.holds("x", ipaddress.ip_address("10.9.9.9"))
    assert allow.holds("x", ipaddress.ip_address("fd00::1"))
    assert not allow.holds("x", any_address)
    assert not allow.holds("evil.hooks.inside", any_address)


@pytest.mark.parametrize(
    "entry", ["http://hooks.inside", "hooks.inside:8080", "10.0.0.0/33", "10.0.0.1/8", "hooks/path", "a@b", ""]
)
def test_an_entry_that_could_never_match_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="neither a host nor a network"):
        AllowList.parse([entry])
