"""Plain text made into text of a markup, so that nothing a stranger wrote is obeyed by it."""

import re

_TWINS = str.maketrans("*_`#<>[]()|~@\\!", "＊＿｀＃＜＞［］（）｜～＠＼！")
_START_TWINS = str.maketrans("-+=.)", "－＋＝．）")
_ADDRESS = re.compile(r"(?i)\b([a-z][a-z0-9+.\-]*):(?=//)|\bwww\.")
_LINE_START = re.compile(r"^(\s*)([-+=]|\d+[.)])(?=\s|$)")


def inert(text: str) -> str:
    """For the Markdown of DingTalk and WeCom, which know no escape that holds on every client: each sign with a
    meaning becomes its full-width twin, which looks alike and means nothing; addresses are no links any more.

    >>> inert("**@all** <at id=all> [x](http://evil.example)")
    '＊＊＠all＊＊ ＜at id=all＞ ［x］（http：//evil.example）'
    """
    text = unlinked(text).translate(_TWINS)
    return _LINE_START.sub(lambda found: found[0].translate(_START_TWINS), text)


def unlinked(text: str) -> str:
    """The text with no address that a client would make into a link by itself.

    >>> unlinked("see https://evil.example or www.evil.example")
    'see https：//evil.example or www．evil.example'
    """
    return _ADDRESS.sub(lambda found: f"{found[1]}：" if found[1] else f"{found[0][:-1]}．", text)


def entities(text: str) -> str:
    """For Slack's mrkdwn: the three signs that begin links, mentions and entities (api.slack.com, "Escaping text").

    >>> entities("<!channel> & <@U1>")
    '&lt;!channel&gt; &amp; &lt;@U1&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
