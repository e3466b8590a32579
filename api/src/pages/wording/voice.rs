//! The words of the forms for complaints and feedback, and of how they stand.

use crate::pages::Lang;

/// The fixed sentences of one language.
pub(in crate::pages) struct VoiceWords {
    pub tell_us: &'static str,
    pub about: &'static str,
    pub complaint: &'static str,
    pub complaint_hint: &'static str,
    pub feedback: &'static str,
    pub feedback_hint: &'static str,
    pub required: &'static str,
    pub optional: &'static str,
    pub wrong: &'static str,

    pub content_complaint: &'static str,
    pub content_feedback: &'static str,
    pub content_limit: &'static str,
    pub place_complaint: &'static str,
    pub place_complaint_hint: &'static str,
    pub place_feedback: &'static str,
    pub bought_at: &'static str,
    pub name: &'static str,
    pub name_hint: &'static str,
    pub contact: &'static str,
    pub contact_hint: &'static str,
    pub leave_empty: &'static str,

    pub privacy: &'static str,
    pub privacy_points: &'static [&'static str],
    pub consent: &'static str,
    pub send_complaint: &'static str,
    pub send_feedback: &'static str,

    pub received: &'static str,
    pub receipt: &'static str,
    pub receipt_means: &'static [&'static str],
    pub see_standing: &'static str,

    pub standing: &'static str,
    pub receipt_hint: &'static str,
    pub show: &'static str,
    pub unknown: &'static str,
    pub unknown_means: &'static str,
    pub told_on: &'static str,
    pub beijing_time: &'static str,
    pub answered_on: &'static str,
    pub closed_on: &'static str,
    pub answer: &'static str,
    pub rate: &'static str,
    pub scores: [&'static str; 5],
    pub send_score: &'static str,
    pub rated: &'static str,
    pub erase: &'static str,
    pub erase_means: &'static str,
    pub erase_sure: &'static str,
    pub erase_now: &'static str,
    pub erasing: &'static str,
    pub erased: &'static str,
}

/// The words of a language.
pub(in crate::pages) const fn words(lang: Lang) -> &'static VoiceWords {
    match lang {
        Lang::Zh => &ZH,
        Lang::En => &EN,
    }
}

/// How it stands, by the name of its state, in a few words and in a sentence.
pub(in crate::pages) fn state(lang: Lang, name: &str) -> (&'static str, &'static str) {
    match (lang, name) {
        (Lang::Zh, "received") => ("已收到", "企业已收到，尚未开始处理。"),
        (Lang::Zh, "in_progress") => ("处理中", "企业正在处理。"),
        (Lang::Zh, "answered") => ("已答复", "答复见下方。"),
        (Lang::Zh, "closed") => ("已结案", "处理已经结束。"),
        (Lang::Zh, _) => (
            "尚未录入",
            "回执刚刚开出，内容可能还在录入，目前查不到更多信息。请稍后再查。",
        ),
        (Lang::En, "received") => ("Received", "The company has it and has not begun yet."),
        (Lang::En, "in_progress") => ("In progress", "The company is working on it."),
        (Lang::En, "answered") => ("Answered", "The answer stands below."),
        (Lang::En, "closed") => ("Closed", "The handling has ended."),
        (Lang::En, _) => (
            "Not taken in yet",
            "The receipt is very new. What it stands for may still be on its way in, and nothing \
             more is known yet. Please look again shortly.",
        ),
    }
}

/// How long personal data is kept.
pub(in crate::pages) fn kept(lang: Lang, days: u32) -> String {
    match lang {
        Lang::Zh => format!(
            "保存多久：最长 {days} 天，到期自动删除。处理记录会保留，但不再含您的个人信息。"
        ),
        Lang::En => format!(
            "For how long: at most {days} days, then it is erased. The record of the case stays, \
             without your personal data."
        ),
    }
}

static ZH: VoiceWords = VoiceWords {
    tell_us: "对此产品投诉或反馈",
    about: "关于此产品",
    complaint: "投诉",
    complaint_hint: "产品有问题，希望企业处理。",
    feedback: "意见反馈",
    feedback_hint: "想告诉企业您的使用感受或建议。",
    required: "必填",
    optional: "选填",
    wrong: "请改正以下内容，然后再提交",

    content_complaint: "投诉内容",
    content_feedback: "意见内容",
    content_limit: "最多 1000 个字。",
    place_complaint: "地点",
    place_complaint_hint: "城市或购买门店，最多 120 个字。此项不加密，请不要写住址。",
    place_feedback: "购买地点",
    bought_at: "购买日期",
    name: "您的称呼",
    name_hint: "可以只写姓氏，例如“王女士”，最多 60 个字。",
    contact: "联系方式",
    contact_hint: "电话、微信或邮箱，最多 100 个字。不留也可以凭回执查看答复。",
    leave_empty: "请勿填写此项",

    privacy: "个人信息如何处理",
    privacy_points: &[
        "用途：仅用于处理这件投诉或反馈，由该产品的企业处理；码不属于任何登记企业时，由本平台处理。",
        "内容、称呼、联系方式、购买日期和购买地点加密保存，只有获授权的处理人员可以查看，每次查看都有记录。",
        "我们不记录您的网络地址和设备信息。",
        "删除：您可以随时凭回执删除个人信息，无需说明理由。",
    ],
    consent: "我已阅读并同意按上述方式处理所填的个人信息",
    send_complaint: "提交投诉",
    send_feedback: "提交反馈",

    received: "已收到",
    receipt: "回执",
    receipt_means: &[
        "请截屏或抄下回执：它只显示这一次，我们不保存，也无法补发。",
        "凭回执可以查看处理进展和答复，也可以删除您的个人信息。请不要给别人看。",
    ],
    see_standing: "查看处理进展",

    standing: "查看投诉或反馈的进展",
    receipt_hint: "5 组、每组 5 个字符。不分大小写，横线可以不输。",
    show: "查看",
    unknown: "查不到这个回执",
    unknown_means: "请逐字核对后再试一次。",
    told_on: "提交时间",
    beijing_time: "北京时间",
    answered_on: "答复时间",
    closed_on: "结案时间",
    answer: "企业的答复",
    rate: "您对处理满意吗？",
    scores: ["1 很不满意", "2 不满意", "3 一般", "4 满意", "5 很满意"],
    send_score: "提交评价",
    rated: "您的评价已收到。",
    erase: "删除我的个人信息",
    erase_means: "内容、称呼、联系方式和购买情况将被删除且不能恢复；如果还没有处理完，企业将无法再联系您。",
    erase_sure: "我确定要删除",
    erase_now: "删除",
    erasing: "删除请求已收到，通常几秒钟内完成；再次查看可以确认。",
    erased: "个人信息已删除。",
};

static EN: VoiceWords = VoiceWords {
    tell_us: "Complain or give feedback about this product",
    about: "About this product",
    complaint: "Complaint",
    complaint_hint: "Something is wrong with the product and you want the company to act.",
    feedback: "Feedback",
    feedback_hint: "You want to tell the company how it was, or what could be better.",
    required: "required",
    optional: "optional",
    wrong: "Please correct this and send again",

    content_complaint: "What happened",
    content_feedback: "What you think",
    content_limit: "At most 1000 characters.",
    place_complaint: "Place",
    place_complaint_hint: "City or shop, at most 120 characters. This is not encrypted: please do \
                           not give your home address.",
    place_feedback: "Where you bought it",
    bought_at: "Day you bought it",
    name: "Your name",
    name_hint: "A family name is enough, such as \u{201c}Ms Wang\u{201d}; at most 60 characters.",
    contact: "How to reach you",
    contact_hint: "Telephone, WeChat or e-mail, at most 100 characters. Without it you can still \
                   read the answer with your receipt.",
    leave_empty: "Leave this empty",

    privacy: "What happens to personal data",
    privacy_points: &[
        "What for: to handle this complaint or feedback only, by the company whose product it is; \
         by this platform where the code belongs to no registered company.",
        "Text, name, contact, and day and place of buying are kept encrypted. Only authorised \
         staff can read them, and every reading is recorded.",
        "Your network address and your device are not recorded.",
        "Erasure: with your receipt you can have personal data erased at any time, without giving \
         a reason.",
    ],
    consent: "I have read this and agree that the personal data given here is handled so",
    send_complaint: "Send the complaint",
    send_feedback: "Send the feedback",

    received: "Received",
    receipt: "Receipt",
    receipt_means: &[
        "Take a screenshot or write it down: it is shown only now. We do not keep it and cannot \
         issue it again.",
        "With it you can follow the handling, read the answer and have your personal data erased. \
         Do not show it to others.",
    ],
    see_standing: "See how it stands",

    standing: "How a complaint or feedback stands",
    receipt_hint: "5 groups of 5 characters. Capitals and hyphens do not matter.",
    show: "Show",
    unknown: "No such receipt is known",
    unknown_means: "Please compare it character by character and try again.",
    told_on: "Sent",
    beijing_time: "Beijing time",
    answered_on: "Answered",
    closed_on: "Closed",
    answer: "The company's answer",
    rate: "Are you satisfied with the handling?",
    scores: [
        "1 not at all",
        "2 not really",
        "3 fairly",
        "4 satisfied",
        "5 very satisfied",
    ],
    send_score: "Send",
    rated: "Your rating was received.",
    erase: "Erase my personal data",
    erase_means: "Text, name, contact and what you said about buying are erased and cannot be \
                  brought back. If it is still being handled, the company can no longer reach you.",
    erase_sure: "I am sure",
    erase_now: "Erase",
    erasing: "The request was received and is usually done within seconds; look again to be sure.",
    erased: "The personal data was erased.",
};
