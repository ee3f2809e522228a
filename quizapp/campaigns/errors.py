"""The ways a campaign refuses a citizen or a member of staff."""

from collections.abc import Sequence
from typing import Any

from quizapp.core.errors import AppError, Conflict, Forbidden, InvalidInput, NotFound
from quizapp.core.text import N_


class CampaignNotFound(NotFound):
    message = N_("没有这场活动，或者它还没有发布。")


class CampaignNotOpen(AppError):
    code = "campaign_not_open"
    message = N_("活动还没有开始，请到开始时间再来。")
    http_status = 409


class CampaignEnded(AppError):
    code = "campaign_ended"
    message = N_("这场活动已经结束，谢谢参加。")
    http_status = 409


class CampaignPaused(AppError):
    code = "campaign_paused"
    message = N_("活动暂停了，恢复后可以接着答。")
    http_status = 409


class NotEligible(AppError):
    code = "not_eligible"
    message = N_("这场活动有参加范围，您不在范围内。")
    http_status = 403


class AttemptLimitReached(AppError):
    code = "attempt_limit_reached"
    message = N_("今日答题次数已用完")
    http_status = 409


class CampaignChanged(Conflict):
    code = "campaign_changed"
    message = N_("别人刚刚改过这场活动，请看过新的内容再改。")


class WrongCampaignState(Conflict):
    """What was asked for does not fit what the campaign is now."""

    code = "wrong_campaign_state"
    message = N_("活动现在的状态不能这样做，请刷新后再看。")


class WrongMoment(InvalidInput):
    """A moment that does not fit what it is given for."""

    code = "wrong_moment"
    message = N_("时间不对。")

    def __init__(self, message: str | None = None, *, field: str = "release_at") -> None:
        super().__init__(message or type(self).message, fields={field: message or type(self).message})


class SlugTaken(InvalidInput):
    code = "slug_taken"
    message = N_("这个网址名称已经有活动在用，请换一个。")

    def __init__(self) -> None:
        super().__init__(type(self).message, fields={"slug": type(self).message})


class TemplateExists(InvalidInput):
    code = "template_exists"
    message = N_("这个单位已经有同名的模板，请换一个名称。")

    def __init__(self) -> None:
        super().__init__(type(self).message, fields={"template_title": type(self).message})


class SamePerson(Forbidden):
    code = "same_person"
    message = N_("提交的人不能自己批准，请另一位审批人来办。")


class TermsInvalid(InvalidInput):
    """The rule check found errors; ``problems`` is what ``rules.problems`` gave."""

    code = "terms_invalid"
    message = N_("活动设置里还有问题，请先处理。")

    def __init__(self, problems: Sequence[Any]) -> None:
        errors = [problem for problem in problems if problem.severity == "error"]
        super().__init__(
            type(self).message,
            fields={problem.field: problem.message for problem in reversed(errors)},
        )
        self.problems = tuple(problems)
