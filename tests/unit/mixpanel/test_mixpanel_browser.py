"""Browser and version from a user agent (mixpanel-actions 4)."""

from __future__ import annotations

import pytest

from connector.mixpanel.browser import browser_of


@pytest.mark.parametrize(
    ("user_agent", "name", "version"),
    [
        ("Mozilla/5.0 Chrome/96.0 Safari/537.36 OPR/82.0.4227", "Opera", "82.0.4227"),
        ("Opera/9.80 Mini/7 OPR/1.2 OPR/", "Opera Mini", None),
        ("Mozilla/5.0 (playbook; U) Version/7.2.1 Safari", "BlackBerry", None),
        ("Mozilla/5.0 blackberry BlackBerry 9.1.0 Chrome/1.2", "BlackBerry", "9.1.0"),
        (
            "Mozilla/5.0 (Windows Phone; Trident/7.0; rv:11.0) IEMobile/11.0",
            "Internet Explorer Mobile",
            "11.0",
        ),
        ("WPDesktop", "Internet Explorer Mobile", None),
        ("Mozilla/5.0 SamsungBrowser/15.0 Chrome/90.0", "Samsung Internet", "15.0"),
        ("Mozilla/5.0 Chrome/96.0 Edg/96.0.1054", "Microsoft Edge", "96.0.1054"),
        ("Mozilla/5.0 Chrome/96.0 Edge/18.19", "Microsoft Edge", "18.19"),
        ("Mozilla/5.0 (iPhone) FBIOS;FBAV/1.2", "Facebook Mobile", None),
        ("Mozilla/5.0 Chrome/118.0.0.0 Safari/537.36", "Chrome", "118.0.0.0"),
        ("Mozilla/5.0 Chrome/118 Safari/537.36", "Chrome", None),
        ("Mozilla/5.0 (iPhone) CriOS/96.0.4664 Safari/604.1", "Chrome iOS", "96.0.4664"),
        ("UCWEB/2.0 (Java) U2/1.0", "UC Browser", "2.0"),
        ("Mozilla/5.0 UCBrowser/13.4.0 Safari", "UC Browser", "13.4.0"),
        ("Mozilla/5.0 (iPhone) FxiOS/40.0 Safari/605.1", "Firefox iOS", "40.0"),
        ("Mozilla/5.0 (iPhone) Version/15.2 Safari/604.1", "Mobile Safari", "15.2"),
        ("Mozilla/5.0 (Macintosh) Version/15.2 Safari/605.1", "Safari", "15.2"),
        ("Mozilla/5.0 (Linux; Android 4.4) android 4.4.2", "Android Mobile", "4.4.2"),
        ("Mozilla/5.0 (Linux; Android 4.4)", "Android Mobile", None),
        ("Konqueror:4.5.1", "Konqueror", "4.5.1"),
        ("Mozilla/5.0 Gecko/20100101 Firefox/95.0", "Firefox", "95.0"),
        ("Mozilla/4.0 (compatible; MSIE 8.0)", "Internet Explorer", "8.0"),
        ("Mozilla/5.0 (Trident/7.0; rv:11.0) like Gecko", "Internet Explorer", "11.0"),
        ("Mozilla/5.0 (X11; rv:91.0) Gecko/2010", "Mozilla", "91.0"),
        ("chrome/118.0", "", None),
        ("curl/8.0", "", None),
    ],
)
def test_the_first_mark_that_is_found_decides(user_agent: str, name: str, version: str | None) -> None:
    assert browser_of(user_agent) == (name, version)
