"""Chinese titles of audit codes; a code without one is shown as it is, and a test asks for each."""

from quizapp.core.text import N_

TITLES: dict[str, str] = {
    "staff.signed_in": N_("登录后台"),
    "questions.imported": N_("导入题库"),
    "campaign.created": N_("新建活动"),
    "campaign.saved": N_("保存活动草稿"),
    "campaign.submitted": N_("提交活动审批"),
    "campaign.returned": N_("退回活动草稿"),
    "campaign.signed_off": N_("协办单位签字确认题目"),
    "campaign.published": N_("批准并发布活动"),
    "campaign.paused": N_("暂停活动"),
    "campaign.resumed": N_("恢复活动"),
    "campaign.extended": N_("延长活动时间"),
    "campaign.deleted": N_("删除活动草稿"),
}
