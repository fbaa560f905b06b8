from lab import rootfs

_DEB822 = """\
Types: deb
# a comment: with a colon
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""
_ONE_LINE = """\
# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://vendor.example/apt stable main
deb-src http://source.example/debian bookworm main
deb [ trusted=yes ] http://mirror.example/debian bookworm main contrib
"""


def test_the_mirror_is_the_one_that_apt_uses() -> None:
    assert rootfs.mirror([_DEB822], ["bookworm"]) == "http://mirror.example/debian"
    assert rootfs.mirror([_ONE_LINE], ["bookworm"]) == "http://mirror.example/debian"


def test_other_peoples_archives_are_no_mirror() -> None:
    assert rootfs.mirror([_ONE_LINE, _DEB822], ["trixie"]) is None
    assert rootfs.mirror([], ["bookworm"]) is None
