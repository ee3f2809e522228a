"""Who takes part: the circle, tracks, entry and what it asks."""

import re
from collections.abc import Iterator

from quizapp.campaigns.checks.problem import Case, Problem, warning
from quizapp.campaigns.terms import EntryField
from quizapp.core.text import N_

_NAME = re.compile(r"姓名|真名|名字|本名")
_IDENTITY = re.compile(r"身份证|证件|户口|护照")
_PHONE = re.compile(r"手机|电话|联系方式|微信号|QQ|邮箱", re.I)
_SENSITIVE = re.compile(r"银行卡|账号|账户|人脸|指纹|病史|宗教")
_ADDRESS = re.compile(r"住址|地址|门牌")


def eligibility(case: Case) -> Iterator[Problem]:
    terms = case.terms
    who = terms.eligibility
    has_chance = terms.draw is not None or terms.draws
    if has_chance and not who.asks_age_band:
        yield Problem("eligibility.asks_age_band", N_("有抽奖的活动要问年龄段，未成年人另有规定。"))
    if who.organisation_ids and not who.asks_organisation:
        yield Problem("eligibility.asks_organisation", N_("限定了单位，就要请参加的人填写单位。"))
    if who.registered_before is not None and who.allows_guests:
        yield Problem("eligibility.allows_guests", N_("只让以前注册过的人参加，就不能先答题后登记。"))
    if who.registered_before is not None and who.registered_before > terms.closes_at:
        yield Problem("eligibility.registered_before", N_("注册截止时间在活动结束以后，等于没有限制。"))


def tracks(case: Case) -> Iterator[Problem]:
    terms = case.terms
    groups = set(terms.eligibility.groups)
    paper = {track.id for track in terms.tracks if track.is_paper}
    for place, track in enumerate(terms.tracks, 1):
        path = f"tracks[{place}]"
        if track.team_size is not None and track.kind != "team":
            yield Problem(f"{path}.team_size", N_("写了每队人数，可是这个赛道是个人参加。"))
        if groups and track.groups and not groups & set(track.groups):
            yield Problem(f"{path}.groups", f"“{track.title}”的人群都不在活动的参加范围里。")
        has_quiz = any(not quiz.tracks or track.id in quiz.tracks for quiz in terms.quizzes)
        if not track.is_paper and not has_quiz:
            yield Problem(path, f"“{track.title}”没有可以答的题。")
    for place, quiz in case.each_quiz():
        if quiz.tracks and set(quiz.tracks) <= paper:
            yield Problem(case.quiz_path(place, "tracks"), N_("纸质赛道只登记结果，不在网上答题。"))


def entry(case: Case) -> Iterator[Problem]:
    terms, wanted = case.terms, case.terms.entry
    if wanted is None:
        return
    if wanted.opens_at is not None and wanted.closes_at is not None and wanted.opens_at >= wanted.closes_at:
        yield Problem("entry.closes_at", N_("报名结束要晚于报名开始。"))
    if wanted.opens_at is not None and wanted.opens_at >= terms.closes_at:
        yield Problem("entry.opens_at", N_("活动结束以后才开始报名。"))
    if wanted.closes_at is not None and wanted.closes_at > terms.closes_at:
        yield warning("entry.closes_at", N_("报名截止在活动结束以后，后报名的人已经不能答题。"))
    if wanted.closes_at is not None and wanted.closes_at <= terms.opens_at and terms.eligibility.allows_guests:
        yield Problem("eligibility.allows_guests", N_("开始前就截止报名的活动，不能先答题后登记。"))
    for place, field in enumerate(wanted.fields, 1):
        yield from _field(f"entry.fields[{place}]", field)


def _field(path: str, field: EntryField) -> Iterator[Problem]:
    if _NAME.search(field.label):
        yield Problem(f"{path}.label", N_("不能要求填真实姓名：参加和领奖都用不着。"))
    if _IDENTITY.search(field.label):
        yield Problem(f"{path}.label", N_("不能要求填证件号码，几位也不行。"))
    if _PHONE.search(field.label):
        yield Problem(f"{path}.label", N_("手机号在登录时已经验证过，不要再收一遍联系方式。"))
    if _SENSITIVE.search(field.label):
        yield Problem(f"{path}.label", N_("这是敏感信息，活动不能收。"))
    if _ADDRESS.search(field.label):
        yield warning(f"{path}.label", N_("住址在邮寄奖品时才需要，请不要在报名时就收。"))
    if field.kind == "choice" and len(field.choices) < 2:
        yield Problem(f"{path}.choices", f"“{field.label}”要列出至少两个选项。")
    if field.kind != "choice" and field.choices:
        yield Problem(f"{path}.choices", f"“{field.label}”不是选择题，不用列选项。")
    if len(set(field.choices)) < len(field.choices):
        yield Problem(f"{path}.choices", f"“{field.label}”有重复的选项。")
