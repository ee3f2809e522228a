"""The rule page: who takes part, when, in which track, and what is asked at the entry."""

from collections.abc import Iterator, Mapping

from quizapp.campaigns.rules import CampaignView
from quizapp.campaigns.season.rounds import rounds_of
from quizapp.campaigns.terms import Entry, Stage, Terms
from quizapp.campaigns.wording.words import CHANNELS, joined, quiz_title, track_title, when

ROUNDS = {"day": "每天一轮", "week": "每周一轮（周一开始）", "month": "每月一轮"}


def host_sentences(view: CampaignView, contact: str) -> Iterator[str]:
    yield f"主办单位：{view.host_name}。"
    if view.cohosts:
        yield f"协办单位：{'、'.join(view.cohosts)}。"
    if contact:
        yield f"联系和投诉：{contact}。"


def window_sentences(terms: Terms) -> Iterator[str]:
    yield f"活动从{when(terms.opens_at)} 到{when(terms.closes_at, is_end=True)}（北京时间），到时自动开始和结束。"
    for stage in terms.stages:
        yield _stage(terms, stage)
    if terms.stages:
        yield "次数和轮次按开始答题的时间算；最后一刻开始的，可以答到时间用完。"


def _stage(terms: Terms, stage: Stage) -> str:
    parts = [f"{stage.title or stage.id}：{when(stage.opens_at)} 到{when(stage.closes_at, is_end=True)}"]
    if stage.rounds is not None:
        parts.append(ROUNDS[stage.rounds.every])
        first, last = stage.rounds.first_day, stage.rounds.last_day
        if first is not None or last is not None:
            parts.append(_answering_days(stage.rounds.every, first, last))
        parts.append(f"共 {len(rounds_of(stage))} 轮")
    if (stage.opens, stage.closes) != ("00:00", "24:00"):
        parts.append(f"每天 {stage.opens} 到 {stage.closes} 开放")
    if stage.tracks:
        parts.append(f"限{'、'.join(track_title(terms, code) for code in stage.tracks)}")
    return joined(parts)


def _answering_days(every: str, first: int | None, last: int | None) -> str:
    if every == "week":
        names = "一二三四五六日"
        return f"周{names[(first or 1) - 1]}到周{names[(last or 7) - 1]}答题"
    return f"{first or 1} 日到 {f'{last} 日' if last else '月底'}答题"


def circle_sentences(view: CampaignView, group_names: Mapping[str, str], region_names: Mapping[str, str]) -> Iterator[str]:
    who = view.terms.eligibility
    if who.regions:
        yield "面向：" + "、".join(region_names.get(code, code) for code in who.regions) + "。"
    if who.groups:
        yield "面向：" + "、".join(group_names.get(code, code) for code in who.groups) + "。"
    if who.organisation_ids:
        yield "面向指定的单位，单位以您登记的为准。"
    if not (who.regions or who.groups or who.organisation_ids):
        yield "所有居民都可以参加。" if view.kind == "voluntary" else "面向应当参加考试的人员。"
    if who.registered_before is not None:
        yield f"只面向{when(who.registered_before, is_end=True)} 以前已经在平台登记的人。"
    if who.excludes:
        yield f"{who.excludes.rstrip('。')}。"
    if who.asks_organisation:
        yield "请填写所在单位或学校，用来按单位汇总，不用于考核个人。"
    if who.allows_guests:
        yield "可以先答题，交卷后再登记；没登记的答卷保留 24 小时。"
    yield "不满 14 周岁的，登记前要监护人同意。"
    if view.kind == "voluntary":
        yield "参加全凭自愿。我们不登记谁没参加，也不给单位的职工排名次。"
    else:
        yield f"本考试依据：{view.legal_basis}。单位管理员能看到谁还没有参加，看不到个人答错的题。"


def track_sentences(terms: Terms, group_names: Mapping[str, str]) -> Iterator[str]:
    for track in terms.tracks:
        parts = [f"{track.title}：{'团队参加' if track.kind == 'team' else '个人参加'}"]
        if track.channels:
            parts.append("、".join(CHANNELS[code] for code in track.channels) + "入口")
        if track.groups:
            parts.append("面向" + "、".join(group_names.get(code, code) for code in track.groups))
        if track.kind == "team":
            parts.append(f"每队最多 {track.team_size} 人" if track.team_size else "")
            parts.append("先选队再答题，选定后不能换")
        if track.is_paper:
            parts.append("在平台以外进行，平台只登记结果")
        else:
            quizzes = [quiz for quiz in terms.quizzes if track.id in quiz.tracks]
            parts.append("答" + "、".join(f"“{quiz_title(terms, quiz.id)}”" for quiz in quizzes) if quizzes else "")
        yield joined(parts)


def entry_sentences(entry: Entry) -> Iterator[str]:
    if entry.opens_at is not None or entry.closes_at is not None:
        opens = f"从{when(entry.opens_at)} " if entry.opens_at else ""
        closes = f"到{when(entry.closes_at, is_end=True)} 截止" if entry.closes_at else ""
        yield f"要先报名：{opens}{closes}。"
    for field in entry.fields:
        must = "必填" if field.is_required else "可以不填"
        choices = f"（{'、'.join(field.choices)}）" if field.choices else ""
        yield f"报名填“{field.label}”{choices}：{must}；用途是{field.purpose}；活动结束 {field.keep_days} 天后删除。"
    yield "报名内容可以在活动期间更正。" if entry.can_be_corrected else "报名内容交上以后不能改，请看清楚再交。"
    yield "不收真实姓名和证件号码；您在平台登记过的资料自动带过来。"
