"""People's names: after a cue, with a title, or beside another placeholder."""

import re
from collections.abc import Iterator

from models.redact.digits import disjoint
from models.redact.fold import HIDDEN
from models.redact.rule import Span, always, candidates

_HAN = r"\u4e00-\u9fff"
# The commoner surnames of the 2020 census name report, without those that are everyday words in this place
# (何时, 任何, 全部, 单号, 时间, 和, 都, 来, 应该, 于, 查, 支付, 平台 …).
_SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭"
    "陆汪范廖贾夏韦付白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁"
    "岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶牟艾尤"
    "阳穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂佟臧闵苟邬卞姬栾隋刁沙荣巫寇桑甄丛仲虞敖巩池苑邝谌"
    "金石方文姬傅鄢冼蔺楚池夏洪佘麻迟"
)
_COMPOUND = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|司徒|令狐|端木|夏侯|南宫|轩辕|宇文|长孙|呼延"
_GIVEN_STOP = "的了是在有和跟来要想住也都就不没说给到这那很还又去被把让从吗呢吧啊电手你我他她它们么什怎"
_GIVEN = rf"[{_HAN}]"
_CHINESE = rf"(?:(?:{_COMPOUND}){_GIVEN}{{1,2}}|[{_SURNAMES}]{_GIVEN}{{1,2}})(?:[·•]{_GIVEN}{{1,8}})?"
# Everyday words that start as a surname does.
_NO_NAMES = tuple(
    "方便 方式 方面 方法 安排 安全 安装 高兴 高级 黄金 金额 金牌 成功 成年 成都 包装 包裹 包邮 马上 万一 文字 文员 白色 白条 "
    "任何 关于 关闭 关系 关机 严重 温度 易碎 向你 向客 向商 经常 解决 连续 连接 江西 江苏 毛病 毛巾 何时 何地 路上 路过 路人 "
    "车主 车上 车间 游客 管理 管家 章程 华为 华硕 康师 司机 农民 景区 房东 房间 房子 米家 万科 万达 向日 路由 田里 林业 "
    "古风 石头 金融 金卡 江南 白天 白酒 费用 简单 简直 尚未 尤其 左右 左边 关注 关键 明显 安心 安慰 安检 安保 安卓 童装 童鞋 "
    "雷军 苹果 熊猫 牛奶 牛仔 龙头 高价 高度 高速 高端 武汉 宁波 宁愿 温馨 施工 舒服 冷静 冷冻 荣耀 游戏 项目 党员 "
    "卫生 纪念 吉林 季度 符合 曲线 欧元 戴尔 贺卡 沙发 沙子 苏宁 成人 成本 成员 成交 史上 申请 申诉 谢谢 余额 余款 陆续 段子 "
    "付款 付费 许多 程序 程度 钱包 钱款 严格 孔夫 曾经 万能 顾客 顾问 莫名 毕竟 卡号 蓝色 蓝牙 盛情 祝您 祝你 吉祥 "
    "姓名 本人 填错 写错 错误 不对 信息 电话 手机 地址 号码".split()
)

_LABEL = r"(?:我的名字|名字|姓名|收件人|收货人|联系人|签收人|寄件人|发件人|持卡人|开户人|户名|投诉人|申请人|购买人|下单人|乘客|患者|称呼)"
_LABELLED = re.compile(rf"{_LABEL}(?:姓名|名字)?(?:[:：] ?|是|叫|为|改成|改为|换成) ?(?P<value>{_CHINESE})")
_LABELLED_ANY = re.compile(rf"{_LABEL}(?:姓名|名字)?[:：] ?(?P<value>[{_HAN}]{{2,4}})(?![{_HAN}])")
_CUED = re.compile(rf"(?:我叫|我的名字叫|本人叫|收件人|收货人|联系人|我姓名|我名字) ?(?P<value>{_CHINESE})")
_SURNAME_ONLY = re.compile(rf"(?:我姓|免贵姓|姓) ?(?P<value>(?:{_COMPOUND}|[{_SURNAMES}]))(?![{_HAN}])")
_TITLED = re.compile(rf"(?P<value>(?:{_COMPOUND}|[{_SURNAMES}]){_GIVEN}{{0,2}}?)(?:先生|女士|小姐|太太|夫人)")
_I_AM = re.compile(rf"(?:我是|本人) ?(?P<value>{_CHINESE})(?=[,，。.!！;；、 ]|$)")
_BESIDE = re.compile(
    rf"(?:(?<![{_HAN}\w])(?P<before>[{_SURNAMES}]{_GIVEN}{{1,2}})[ ,，、:：]{{1,2}}(?={HIDDEN})"
    rf"|(?<={HIDDEN})[ ,，、]{{1,2}}(?P<after>[{_SURNAMES}]{_GIVEN}{{1,2}})(?![{_HAN}\w]))"
)

_WORD = r"[A-Za-z][A-Za-z'’\-]{0,24}"
_ENGLISH_CUED = re.compile(
    rf"\b(?:my (?:full )?name is|my name's|my name:|i am called|the name's) (?P<value>{_WORD}(?: {_WORD}){{0,2}})",
    re.IGNORECASE,
)
_ENGLISH_LABEL = re.compile(
    r"(?:(?<![A-Za-z] )(?<![A-Za-z])name|(?:full|first|last|customer|recipient|contact|holder) name|recipient|consignee|contact person|attn)"
    rf" ?[:：] ?(?P<value>{_WORD}(?: {_WORD}){{0,2}})",
    re.IGNORECASE,
)
_ENGLISH_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Mx|Prof)\b\.? (?P<value>[A-Z][a-z'’\-]{1,24}(?: [A-Z][a-z'’\-]{1,24}){0,2})"
)
_LATIN_AFTER_CHINESE = re.compile(
    rf"(?:我叫|我的名字是|{_LABEL}[:：]) ?(?P<value>[A-Za-z][a-z'’\-]{{1,24}}(?: [A-Z][a-z'’\-]{{1,24}}){{0,2}})"
)
_NOT_A_NAME = frozenset(
    "a an the and or but i im i'm my not no on in at of to from with wrong incorrect correct misspelled spelled still is was are "
    "it this that your you we they he she for so please can could would will have has had been written printed missing "
    "different also as because if when where who what how".split()
)


def names(line: str) -> Iterator[Span]:
    """Names after a cue (我叫, 收件人, "my name is"), before a title (张先生) or after one (Mr Lee), and
    beside a number already redacted, as in a pasted delivery address."""
    return disjoint(
        [
            *candidates(_LABELLED, line, _chinese),
            *candidates(_LABELLED_ANY, line, _chinese),
            *candidates(_CUED, line, _chinese),
            *candidates(_SURNAME_ONLY, line, always),
            *candidates(_TITLED, line, _titled),
            *candidates(_I_AM, line, _chinese),
            *candidates(_BESIDE, line, _beside),
            *candidates(_ENGLISH_CUED, line, _english),
            *candidates(_ENGLISH_LABEL, line, _english),
            *candidates(_ENGLISH_TITLED, line, always),
            *candidates(_LATIN_AFTER_CHINESE, line, _english),
        ]
    )


def _chinese(match: re.Match[str]) -> Span | None:
    """The name, without a last character that cannot end one; none where the text only starts like one."""
    start, end = match.span("value")
    name = match["value"]
    if name.startswith(_NO_NAMES) or name[1] in _GIVEN_STOP:
        return None
    if len(name) == 3 and name[2] in _GIVEN_STOP:
        end -= 1
    return start, end


def _titled(match: re.Match[str]) -> Span | None:
    name = match["value"]
    if any(char in _GIVEN_STOP for char in name) or name.startswith(_NO_NAMES):
        return None
    return match.span("value")


def _beside(match: re.Match[str]) -> Span | None:
    group = "before" if match["before"] else "after"
    return None if match[group].startswith(_NO_NAMES) else match.span(group)


def _english(match: re.Match[str]) -> Span | None:
    """The words up to the first that no name holds."""
    start = end = match.start("value")
    for word in re.finditer(r"\S+", match["value"]):
        if word[0].lower() in _NOT_A_NAME:
            break
        end = start + word.end()
    return (start, end) if end > start else None
