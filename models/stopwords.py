"""Words that name no issue, and words of trade that a general dictionary cuts apart."""
# ruff: noqa: SIM905 - word lists read better as text

NEGATIONS_ZH = frozenset(
    """
    不 没 没有 未 无 别 不能 不会 无法 不让 不了 还没 从没 从未 并未 并没有 不是 没法 不肯 不给
    """.split()
)
NEGATIONS_EN = frozenset(
    """
    not no never without cannot can't won't don't doesn't didn't isn't wasn't hasn't haven't
    """.split()
)
STOP_ZH = frozenset(
    """
    的 了 着 过 是 在 有 和 与 跟 同 或 及 而 但 但是 可是 不过 然而 所以 因为 因此 如果 要是 的话 虽然
    还 还是 也 都 就 才 又 再 很 太 更 最 真 真的 好 非常 特别 比较 十分 挺 蛮 有点 有些 一些 一点 一下
    一直 一个 一样 这个 那个 这么 那么 这样 那样 这种 那种 这些 那些 这里 那里 这 那 哪 哪里 哪个 谁
    什么 啥 怎么 怎么样 怎么办 怎样 如何 为什么 为何 为啥 多少 几 我 我们 你 你们 您 他 她 它 他们 自己
    人家 大家 咱们 吗 呢 吧 啊 呀 哦 嗯 哈 啦 嘛 哎 唉 喂 么 被 把 给 让 叫 对 对于 关于 从 到 向 往 由
    于 以 为 为了 按 按照 根据 除了 比 等 等等 之 所 其 其他 另外 以及 并 并且 而且 甚至 然后 之后 之前
    以后 以前 后来 时候 时 当时 现在 目前 今天 昨天 明天 刚 刚刚 刚才 已 已经 正在 将 会 能 可以 可能
    应该 必须 要 想 想要 需要 得 去 来 上 下 里 中 内 外 前 后 请 请问 麻烦 谢谢 感谢 您好 你好 在吗 亲
    亲亲 帮 帮忙 帮我 希望 觉得 感觉 认为 知道 看 看看 看到 说 问 告诉 进行 出现 发现 情况 问题 东西
    事情 事 方面 地方 个 次 天 年 月 日 号 点 分 些 种 只 件 块 元 位 名 家 没什么 不知 不知道 就是
    只是 只能 只有 都是 不是 是不是 有没有 能不能 可不可以 本来 其实 结果 居然 竟然 根本 完全 简直 总是
    老是 每次 又是 使用 用 买 购买 做 弄 搞 放 拿 还有 没有 不 没 未 无 别 不能 不会 无法 不让 不了
    还没 从没 从未 不肯 不给 没法 越来越 越 起来 出来 下来 过来 收到 显示 要求 一次 第二天 一共 左右
    直接
    """.split()
)
STOP_EN = frozenset(
    """
    a about actually after again all almost already also always am an and another any anyone anything
    are around as ask asked at away back be because been before being best better between both but by
    call came can cannot come could day days did do does doing done down each either else enough even
    ever every everything feel few find first for from further gave get gets getting give given go goes
    going gone good got guys had has have having hello help her here hey hi him his hour hours how
    however i if im in into is issue issues it its ive just keep kind know last least let like long
    look looking lot made make makes making many may maybe me mean might minute minutes month months
    more most much must my myself need needed needs new next now of off ok okay old on once one only or
    other our out over own people please pls problem problems put quite rather really right said same
    say saying says see seem seems seen sent she should show since so some someone something soon still
    such sure take taken taking tell than thank thanks that the their them then there these they thing
    things think this those though through till time times to today told tomorrow too took tried try
    trying two under until up upon us use used using very want wanted wants was way we week weeks well
    went were what whats when where whether which while who whom why will wish with within would year
    years yes yesterday yet you your yours not no never without can't won't don't doesn't didn't isn't
    wasn't hasn't haven't couldn't wouldn't shouldn't aren't ain't i'm i've i'd i'll it's that's
    there's what's you're you've they're we're we've he's she's let's received receive
    """.split()
)
TRADE_ZH = tuple(
    """
    到账 发烫 驿站 色差 掉漆 客服 差评 漏发 错发 少发 死机 闪退 卡顿 黑屏 起球 掉色 异味 过敏 假货 降价
    保价 补差价 优惠券 无理由退货 运费险 退货 退款 换货 预售 定金 尾款 鼓包 续航 不灵 少件 破损 临期
    二手 翻新 退差价 拒收 补发 催单 发票
    """.split()
)
"""Given to the segmenter, or it would cut 没到账 into 没到 and 账."""
