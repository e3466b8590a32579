//! 中文。

use super::{ProblemWords, ReasonWords, Words};
use crate::resolver::decide::{Legality, Reason};

pub(in crate::pages) static ZH: Words = Words {
    service: "产品追溯查询",
    other_language: "English",
    colon: "：",

    ok: "未发现问题",
    caution: "请先核实",
    stop: "请勿使用",
    checked: "本次查询核对了：",
    code_issued: "此码由企业发放并已启用",
    not_recalled: "没有涉及此产品的召回",
    not_expired: "未过保质期",
    ok_limits: "看得见的码可以被复制，本页不能证明包装内的产品未被调换。\
                使用前请检查封口，并核对包装上的批号和日期。",

    recall: "召回通知",
    recall_reason: "召回原因",
    recall_instructions: "您需要做的",
    recall_opened: "开始日期",
    recall_id: "召回编号",

    about_product: "产品",
    about_claimed_product: "码中所写的产品（未经证实）",
    compare: "请与包装上印的逐字核对",
    lot: "批号",
    expiry: "保质期至",
    newer_version: "以下是这批产品生产时的信息。企业之后更新过该产品的信息，以包装标示为准。",
    public_info: "产品公开信息",
    absent: "企业未提供",

    queries: "查询记录",
    first_query_means: "第一次查询不等于包装从未打开过；看得见的码也可以被复制。请一并检查封口。",
    count_means: "店员、家人和您自己扫码都会计入，次数本身不说明产品有问题。但看得见的码可以被复制：\
                  如果次数多得说不通，请先致电企业核实。",

    this_code: "此码",
    code: "追溯码",
    standing: "码的状态",
    as_of: "核对时间",
    beijing_time: "北京时间",

    help: "需要帮助",
    call_maker: "拨打企业电话",
    call_printed: "核实产品，请拨打包装上印的企业电话。",
    call_hotline: "投诉举报 12315",
    type_a_code: "输入另一个追溯码",

    entry: "查询追溯码",
    entry_label: "追溯码",
    entry_hint: "可以直接粘贴整段内容。",
    entry_example: "例如 (01)06901234567892(21)17K3M9QX2TR4VA，或二维码里的网址",
    entry_submit: "查询",
    entry_where: "追溯码在哪里",
    entry_places: &[
        "二维码旁边印的一串数字和字母，多在罐底、罐身侧面或瓶盖处。",
        "也可以用手机扫二维码，把得到的网址整段粘贴进来。",
        "条形码下的 13 位数字只标明是哪种产品，不能查到您手中这一件。",
    ],
    unreadable: "没有读懂这个码",
    fault_part: "出错的部分",

    photo: "用照片查询",
    photo_take: "拍一张",
    photo_choose: "或选一张已有的照片",
    photo_hint: "JPEG、PNG 或 WebP，不超过 4 MB。照片只用来读码，不保存。",
    photo_submit: "上传并查询",
    photo_advice: &[
        "让二维码占画面的三分之一以上，完整、对上焦。",
        "避开反光和阴影，把弯曲处尽量放平。",
        "还是不行，请把二维码旁边印的追溯码输入到下面。",
    ],
    photo_found: "照片里有多个码",
    photo_each: "请对照包装，看清哪个码在哪件产品上。",
    photo_open: "查看详情",
    photo_other: "这个二维码不是追溯码，没有查询。",

    unavailable: "现在无法确认",
    unavailable_plainly: "暂时取不到最新的登记和召回信息，所以无法告诉您这件产品的情况。\
                          请不要凭本页判断它有没有问题。",
    what_to_do: "现在可以这样做",
    problem_code: "问题代码",
    request_id: "请求编号",
};

pub(super) const fn reason(reason: Reason) -> ReasonWords {
    let (short, meaning, action) = match reason {
        Reason::Recalled => (
            "产品正在召回",
            "此产品在召回范围内。",
            "请立即停止使用，连同包装一起保留，按召回通知办理。如已使用并出现不适，请及时就医。",
        ),
        Reason::Expired => (
            "已过保质期",
            "包装上标示的保质期已过。",
            "请不要再使用，也不要转给他人；如果是刚买到的，请联系购买处处理。",
        ),
        Reason::Void => (
            "此码已作废",
            "企业在启用前已将此码作废，它不应出现在售出的产品上。",
            "请不要使用，保留产品和购物凭证，向购买处和企业核实。",
        ),
        Reason::NotAllocated => (
            "此码未曾发放",
            "在已发放的码中查不到此码。",
            "请核对后再扫描或输入一次；如果结果相同，请不要使用，并向购买处和企业核实。",
        ),
        Reason::Destroyed => (
            "记录显示已销毁",
            "按记录，此码对应的产品已经销毁，不应再出现。",
            "请不要使用，保留产品和购物凭证，致电企业核实。",
        ),
        Reason::Collected => (
            "记录显示已被收回",
            "按记录，此码对应的产品已在召回中收回，不应再出现。",
            "请不要使用，保留产品和购物凭证，致电企业核实。",
        ),
        Reason::CodeContradictsRecord => (
            "码与记录不一致",
            "码中的批号或日期与企业登记的不一致。",
            "请不要使用，拍下包装上的码、批号和日期，致电企业核实。",
        ),
        Reason::SuspectedCopy => (
            "此码可能被复制",
            "有两条记录不可能同属一件产品，此码可能印在了不止一件产品上。",
            "核实之前请先不要使用，保留产品和购物凭证，致电企业。",
        ),
        Reason::QueriedOften => (
            "查询次数异常多",
            "此码被查询的次数明显多于一般情况：可能只是很多人扫过，也可能是码被复制了。",
            "请检查封口，核对批号和日期，并致电企业核实后再使用。",
        ),
        Reason::NotCommissioned => (
            "此码尚未启用",
            "此码已发放，但企业还没有把它登记到任何批次，所以查不到这件产品的来历。",
            "请先不要使用，致电企业核实。",
        ),
        Reason::UnknownIssuer => (
            "查不到发码方",
            "在本系统登记的企业中，没有一家发放这种码，因此这里无法判断这件产品。",
            "请核对后再试一次；如果结果相同，请致电包装上印的企业核实。",
        ),
        Reason::NamesProductOnly => (
            "此码只标明产品，不是单件",
            "同一种或同一批产品共用此码，它不能说明您手中这一件的情况。",
            "请扫描包装上的单件追溯码，再查一次。",
        ),
        Reason::NamesLogisticUnit => (
            "这是物流包装的码",
            "此码标明托盘等物流包装，不能说明里面每件产品的情况。",
            "请扫描产品包装上的追溯码。",
        ),
        Reason::CannotConfirm => (
            "暂时无法确认",
            "目前掌握的信息可能不是最新的，或者这批产品的记录尚未公布。",
            "请稍后再查；确认之前，不要凭本页判断可以使用。",
        ),
    };
    ReasonWords {
        short,
        meaning,
        action,
    }
}

pub(super) const fn standing(legality: Option<Legality>) -> &'static str {
    match legality {
        Some(Legality::Legal) => "有效：由企业发放",
        Some(Legality::Void) => "已作废",
        Some(Legality::NotCommissioned) => "已发放，尚未启用",
        Some(Legality::NotAllocated) => "未曾发放",
        Some(Legality::UnknownIssuer) => "查不到发码方",
        None => "不适用（此码不对应单件产品）",
    }
}

pub(super) fn problem(status: u16) -> ProblemWords {
    const CHECK: &str = "对照包装检查这个码，再扫描或输入一次。";
    const CALL: &str = "急需确认时，请拨打包装上印的企业电话。";
    const AGAIN: &str = "请过一会儿再查一次。";
    let (title, meaning, steps): (_, _, &[&str]) = match status {
        400 => (
            "没有读懂这个码",
            "码的格式不对，所以没有查询。",
            &[CHECK, CALL],
        ),
        404 => (
            "这里没有内容",
            "这个地址不对应任何追溯码或文件。",
            &[CHECK, CALL],
        ),
        405 => (
            "不能这样打开这个地址",
            "没有进行查询。",
            &["请重新扫码，或输入追溯码查询。"],
        ),
        413 => (
            "发送的内容太大",
            "内容超出了限制，没有处理。",
            &["请换一张较小的照片，或直接输入追溯码。"],
        ),
        429 => (
            "查询太频繁",
            "短时间内从您的网络发出了太多查询，这一次没有进行。",
            &["请等一分钟再查。", CALL],
        ),
        503 => (
            ZH.unavailable,
            ZH.unavailable_plainly,
            &[
                "确认之前，请先不要使用这件产品。",
                "请过几分钟再查一次。",
                CALL,
            ],
        ),
        500.. => (
            "系统出错了",
            "这不是查询结果，不能用来判断产品。",
            &[AGAIN, CALL],
        ),
        _ => (
            "没有完成查询",
            "这不是查询结果，不能用来判断产品。",
            &[AGAIN, CALL],
        ),
    };
    ProblemWords {
        title,
        meaning,
        steps,
    }
}

pub(super) fn counted(count: u64, first_on: Option<&str>) -> String {
    match (count, first_on) {
        (0, _) => "此码此前没有查询记录，这是第一次。".into(),
        (1, Some(day)) => {
            format!("此码此前被查询过 <strong>1</strong> 次，在 {day}。")
        }
        (n, Some(day)) => {
            format!("此码此前被查询过 <strong>{n}</strong> 次，首次在 {day}。")
        }
        (n, None) => format!("此码此前被查询过 <strong>{n}</strong> 次。"),
    }
}

pub(super) fn counted_ago(seconds: u64) -> String {
    let (n, unit) = match seconds {
        0..60 => (seconds, "秒"),
        60..3_600 => (seconds / 60, "分钟"),
        3_600..86_400 => (seconds / 3_600, "小时"),
        _ => (seconds / 86_400, "天"),
    };
    format!("以上是 {n} {unit}前的统计。")
}
