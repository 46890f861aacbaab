"""Chinese surnames, and the everyday words that start as one."""

from models.redact.rule import words

SURNAMES = (
    # The commoner ones of the Ministry of Public Security's name report of 2020, without those that are
    # everyday words where names are looked for (何时, 任何, 全部, 单号, 时间, 和, 都, 来, 应该, 于, 查, 支付, 平台).
    "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程苏魏吕丁任"
    "沈姚卢姜崔钟谭陆汪范廖贾夏韦付白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
    "温康施牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕季裴"
    "霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲滕屈饶牟艾尤阳穆农司卓古吉缪简项连芦麦褚娄窦戚"
    "岑景党宫费卜冷晏席卫米柏宗瞿桂佟臧闵苟邬卞姬栾隋刁沙荣巫寇桑甄丛仲虞敖巩池苑邝谌金石方文傅鄢冼蔺"
    "楚洪佘麻迟曲阎萧"
)
COMPOUND_SURNAMES = "欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 慕容 司徒 令狐 端木 夏侯 南宫 轩辕 宇文 长孙 呼延"

NO_GIVEN = frozenset("的了是在有和跟来要想住也都就不没说给到这那很还又去被把让从吗呢吧啊电手你我他她它们么什怎")
"""Characters that open no given name, and that close one so seldom that the sentence has gone on."""

NO_NAMES = tuple(
    words(
        """
    方便 方式 方面 方法 安排 安全 安装 安心 安慰 安检 安保 安卓 安徽 高兴 高级 高价 高度 高速 高端 高中 黄金
    金额 金牌 金融 金卡 成功 成年 成都 成绩 成人 成本 成员 成交 包装 包裹 包邮 包括 马上 万一 万能 万科 万达
    文字 文员 白色 白条 白天 白酒 任何 关于 关闭 关系 关机 关注 关键 严重 严格 温度 温馨 温州 易碎 向你 向客
    向商 向日 连续 连接 江西 江苏 江南 江门 毛病 毛巾 何时 何地 何人 路上 路过 路人 路由 车主 车上 车间 车位
    游客 游戏 管理 管家 章程 华为 华硕 康师 司机 农民 农村 农业 景区 房东 房间 房子 房屋 房产 米家 田里 古风
    石头 石家 费用 简单 简直 尚未 尤其 左右 左边 童装 童鞋 雷军 熊猫 牛奶 牛仔 龙头 武汉 宁波 宁愿 施工 舒服
    冷静 冷冻 荣耀 项目 党员 党费 党委 卫生 纪念 纪委 吉林 季度 符合 曲线 欧元 戴尔 贺卡 沙发 沙子 苏宁 苏州
    史上 申请 申诉 谢谢 余额 余款 段子 付款 付费 许多 程序 程度 钱包 钱款 曾经 顾客 顾问 莫名 毕竟 蓝色 蓝牙
    盛情 祝您 祝你 吉祥 常州 广州 杭州 郑州 徐州 兰州 湖南 湖北 河南 河北 陈述 经常 经理 解决 席位 阳光 阳台
    白族 白买 华侨 向前 颜值 唐僧 日期 时间 备注 同上 附件 证据 地址 蒙牛
    """
    )
)
"""No name begins so: a longer word does."""

NO_NAME_ENDINGS = frozenset("人员生者户师的族友民党迷粉控派号家客区馆店楼城市县村路街苑园厅部队")
"""What somebody is, not what he is called: 我是温州人, 我是程序员."""
