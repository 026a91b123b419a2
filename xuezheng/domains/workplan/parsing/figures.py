"""Finding figures with their units in a text, before anybody asks whether they are promises."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from xuezheng.domains.workplan.parsing.numerals import percentage, plain_number, times

Number = float | int

_DIGITS = r"\d{1,12}(?:,\d{3}){0,4}(?:\.\d{1,6})?"
_CHINESE = r"[零〇一二两三四五六七八九十百千]{1,9}(?:点[零〇一二三四五六七八九]{1,3})?"
_NUMBER = rf"(?:{_DIGITS}|{_CHINESE})"
_PERCENT = rf"(?:{_DIGITS}\s*%|百分之(?:{_CHINESE}|{_DIGITS})|[一二两三四五六七八九]成(?![立为果长效员本])[一二三四五六七八九]?|半数|过半)"
#: Measure words, each with the characters that would make it part of another word.
_MEASURES = [
    "平方公里", "平方千米", "平方米", "平米", "立方米", "日(?=以?内|之内)", "剂次", "项次", "节次", "台次", "件次", "亩次", "家次", "人日", "摄氏度", "微克/立方米", "吨标准煤", "张床位", "公里", "千米", "公顷",
    "人次", "户次", "辆次", "场次", "班次", "车次", "批次", "课时", "学时", "学分", "学位", "床位",
    "兆瓦", "千瓦", "元", "亩", "吨", "米", "套", "户(?!籍|外)", "份(?!额)", "篇(?!章)", "部(?!门|委|分|队|署|级)",
    "本(?!科|级|土|地|校)", "册", "台(?!账|阶)", "辆", "间(?!隔|接)", "栋", "幢", "座(?!谈)", "处(?!室|理|置|于|级)",
    "节(?!日|点|约|能|水|假)", "支(?!持|部|撑|教|出|委)", "盏", "株", "棵", "例(?!会|行)", "宗(?!旨)", "起(?!来|步|草|点)",
    "艘", "架(?!构)", "张", "堂", "款(?!项)", "块(?!状)", "眼(?!前)", "口(?!径|号|碑|岸|头|语|才|腔|味|罩|袋|感)", "具(?!有|体|备|象)", "分钟", "小时", "分(?!之|类|批|层|级|别|工|解|校|步|期|析|管|局)",
    "位(?!置|一体)", "项(?!目)", "门(?!口|类|户|诊|槛)", "期(?!间|末|中|限)", "家(?!长|庭|访|校|园|门|委|教|乡)",
    "件(?!套)", "条(?!件|例|线索)", "场(?!所|地|馆|景|域)", "次(?!全会|全体|党代会|序|数|月|年|日|要)", "轮(?!岗|训|流|换)",
    "名(?!单|校|师|优|录|额|著|列|为|城|牌|园长|班主任)", "所(?!有|在|需|属|以|谓)", "对(?!一|照|标|口|接|象|于|外|应|策)",
    "种(?!植|类|子)", "类(?!似|别)", "组(?!织|建|长|团|成)", "片(?!区|面)", "天(?!然)",
    "人(?!大|才|员|口|均|民|生|工|格|文|事|社|防|居|心|身|类|数|物|本|员|岗|一)",
    "个月", "个工作日", "遍(?!布|地|及)", "倍(?!感|加|增)", "个(?!性|体|案|别|小时|学期|星期|季度|学年|年度|年级|百分点|以上年|人)",
]  # fmt: skip
_UNIT = "(?:" + "|".join(_MEASURES) + ")"
#: Measure words that mean something else after a small Chinese number: 一把手, 三方, 一度, 两头.
_AFTER_BIG = [
    "公斤", "千克", "毫克", "毫升", "千伏", "分贝", "斤", "克(?!服)", "头(?!脑|部|版)", "只(?!有|要|能|是|增|减)", "匹(?!配)", "枚",
    "根(?!据|本|治)", "把(?!握|关|控)", "箱", "袋", "瓶", "桶", "页", "集(?!中|体|团|合)", "幅(?!度)", "尊(?!重)", "字(?!号|体)",
    "方(?!面|案|式|向|法|便|可|能|针|位)", "度(?!假)", "剂", "卷(?!积|入)", "针(?!对)", "颗", "粒", "面(?!积|向|对|临)", "顶", "道(?!路|德)",
    "笔(?!试)", "趟", "票(?!据)", "℃", "㎡", "m²", "m³", "km²?", "cm", "mm", "kg", "kW(?:h)?", "MW", "kV", "mg/L", "[GTM]B", "dB", "NTU", "DDDs?",
]  # fmt: skip
_BIG = r"(?:\d{1,12}(?:,\d{3}){0,4}(?:\.\d{1,6})?|[一二两三四五六七八九]?[十百千][零〇一二三四五六七八九十百]{0,6}|[一二两三四五六七八九](?=[万亿]))"
_BIG_UNIT = "(?:" + "|".join(_AFTER_BIG) + ")"
#: What a rate counts by: 5克/平方米, 8/10万.
_PER = re.compile(
    r"/(?:\d{0,4}[十百千]?万|(?:平方|立方)(?:公里|米)|[人天日月年亩吨升度班校次户]|公里|学期|学年|m[²³]?|L)(?![a-zA-Z\d])"
)
_JOIN = r"\s?(?:-{1,2}|~|—{1,2}|至|到)\s?"
#: The figure with its unit.  A range writes its unit once or twice.
FIGURE = re.compile(
    rf"(?P<plo>{_PERCENT}|{_DIGITS})(?P<pjoin>{_JOIN})(?P<phi>{_PERCENT})"
    r"|(?P<parts>[二三四五六七八九十]{1,3})分之(?P<of>[一二三四五六七八九十]{1,3})"
    rf"|(?P<ptlow>{_NUMBER})(?:个?百分点|‰)?{_JOIN}(?P<pthigh>{_NUMBER})\s*(?:(?P<ptpoints>个?百分点)|‰)"
    rf"|(?P<points>{_NUMBER})\s*个?百分点"
    rf"|(?P<percent>{_PERCENT})"
    rf"|(?:(?P<mille>\d+(?:\.\d+)?)\s*‰|千分之(?P<thousandth>{_NUMBER}))"
    r"|翻(?P<doublings>[一两二三]|\d)番"
    r"|(?P<per>\d{1,6}(?:\.\d{1,3})?)(?P<base>/\d{0,4}[十百千]?万)(?![\u4e00-\u9fff]*元)"
    rf"|(?P<low>{_NUMBER})(?P<lowunit>[万亿]?{_UNIT})?(?P<join>{_JOIN})"
    rf"(?P<high>{_NUMBER})(?P<hpower>[万亿]?)(?P<hunit>{_UNIT})"
    rf"|(?P<number>{_NUMBER})\s?(?P<about>[余多](?=[万亿]))?(?P<power>[万亿]?)(?P<vague>[余多]?)(?P<unit>{_UNIT}|(?<=万)(?=[，。；、]))"
    rf"|(?P<biglow>{_BIG}){_JOIN}(?P<bighigh>{_BIG})(?P<bigpower>[万亿]?)(?P<bigunit2>{_BIG_UNIT})"
    rf"|(?P<big>{_BIG})\s?(?P<bigpow>[万亿]?)(?P<bigvague>[余多]?)(?P<bigunit>{_BIG_UNIT})"
    r"|(?P<days>(?<=[过于少])\d{1,3})日(?=[，。；、（]|$)"
    r"|零(?P<zero>事故|发生|增长|投诉|伤亡|死亡|感染|辍学|失学|新增|违规|违纪|差错|案件|上访|溺亡|欺凌|失误|"
    r"返贫|瞒报|纠纷|冲突|死伤|延误|欠薪|火灾|积压|超标|漏报|拖欠|入校|流入)"
    r"|(?P<bare>(?<=[到至于过达≤≥<>在])(?!20\d\d)\d+(?:\.\d+)?(?=[，。；、]|以[上内下]|$))"
    r"|(?P<asto>(?:率|数|量|起数|事故|案件|人数)为零)"
    r"|(?P<cleared>(?:(?:动态|全部|全面|存量|按期|实现)*清|归)零)"
)


@dataclass
class Quantity:
    """A figure in the text.  `value` is [low, high] for a range."""

    value: Number | list[Number]
    unit: str
    start: int
    end: int
    chinese: bool = False
    vague: bool = False
    join: str = ""
    lows_unit: bool = False
    #: Whether the unit is none of the known measure words but whatever follows the number.
    loose: bool = False


def figures_in(text: str, start: int, end: int) -> Iterator[Quantity]:
    """All figures with a unit between start and end, in order."""
    for found in FIGURE.finditer(text, start, end):
        if found.start() and re.match(r"[A-WYZa-wyz\d.第±]", text[found.start() - 1]):
            continue
        try:
            quantity = _read(found)
        except (ValueError, KeyError):
            continue
        if quantity is None:
            continue
        if found["number"] and not found["unit"]:
            # 常住人口62.4万 counts people; only what names no people is money.
            people = re.findall(
                r"人次|人数|人口|[学考师新]生|老[年]?人|儿童",
                text[max(start, quantity.start - 14) : quantity.start],
            )
            if people:
                value = times(_number(found["number"]), found["power"])
                quantity = replace(
                    quantity, value=value, unit="人次" if people[-1] == "人次" else "人"
                )
        per = _PER.match(text, quantity.end, end)
        if per:
            quantity.unit += per.group()
            quantity.end = per.end()
        if text[quantity.end : quantity.end + 1] != "/":
            yield quantity


def _read(found: re.Match[str]) -> Quantity | None:
    where = {"start": found.start(), "end": found.end()}
    if found["phi"]:
        low = found["plo"]
        first = percentage(low) if not low[-1].isdigit() else plain_number(low)
        return Quantity(
            [first, percentage(found["phi"])], "%", join=found["pjoin"].strip(), **where
        )
    if found["parts"]:
        share = round(100 * plain_number(found["of"]) / plain_number(found["parts"]), 2)
        return Quantity(int(share) if share == int(share) else share, "%", **where)
    if found["pthigh"]:
        unit = "百分点" if found["ptpoints"] else "‰"
        pair = [_number(found["ptlow"]), _number(found["pthigh"])]
        return Quantity(pair, unit, join="-", **where)
    if found["points"]:
        return Quantity(plain_number(found["points"]), "百分点", **where)
    if found["percent"]:
        return Quantity(percentage(found["percent"]), "%", **where)
    if found["mille"] or found["thousandth"]:
        return Quantity(plain_number(found["mille"] or found["thousandth"]), "‰", **where)
    if found["days"]:
        return Quantity(plain_number(found["days"]), "日", **where)
    if found["doublings"]:
        return Quantity(plain_number(found["doublings"]), "番", **where)
    if found["per"]:
        return Quantity(plain_number(found["per"]), found["base"], **where)
    if found["bigunit2"]:
        pair = [times(_number(found[name]), found["bigpower"]) for name in ("biglow", "bighigh")]
        return Quantity(pair, found["bigunit2"], join="-", **where)
    if found["bigunit"]:
        value = times(_number(found["big"]), found["bigpow"])
        return Quantity(value, found["bigunit"], vague=bool(found["bigvague"]), **where)
    if found["zero"] or found["asto"] or found["cleared"]:
        return Quantity(0, "", **where)
    if found["bare"]:
        return Quantity(plain_number(found["bare"]), "", **where)
    if found["high"]:
        unit, power = _money(found["hunit"], found["hpower"])
        pair = [_number(found["low"]), _number(found["high"])]
        return Quantity(
            [times(value, power) for value in pair],
            unit,
            chinese=not found["low"][0].isdigit(),
            join=found["join"].strip(),
            lows_unit=bool(found["lowunit"]),
            **where,
        )
    unit, power = _money(found["unit"] or "元", found["power"])
    return Quantity(
        times(_number(found["number"]), power),
        unit,
        chinese=not found["number"][0].isdigit(),
        vague=bool(found["vague"] or found["about"]),
        **where,
    )


def _number(text: str) -> Number:
    """As plain_number, but 三四 (three or four), a bare 百 and ○-years are no figures."""
    if not text[0].isdigit():
        if len(text) > 1 and not re.search("[十百千点]", text):
            raise ValueError(text)
        if text[0] in "百千":
            raise ValueError(text)
    return plain_number(text)


def _money(unit: str, power: str) -> tuple[str, str]:
    """Money keeps 万 and 亿 in its unit, all other counts are written out."""
    return (power + unit, "") if unit == "元" else (unit, power)
