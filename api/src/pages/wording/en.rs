//! English.

use super::{ProblemWords, ReasonWords, Words};
use crate::resolver::decide::{Legality, Reason};

pub(in crate::pages) static EN: Words = Words {
    service: "Product trace query",
    other_language: "中文",
    colon: ": ",

    ok: "No known problem",
    caution: "Check before use",
    stop: "Do not use",
    checked: "What was checked:",
    code_issued: "The code was issued by the company and is in use",
    not_recalled: "No recall covers this product",
    not_expired: "It is within its shelf life",
    ok_limits: "A code that can be seen can be copied: this page cannot prove that the contents were \
                not exchanged. Before use, check the seal, and compare the batch and date on the \
                pack.",

    recall: "Recall notice",
    recall_reason: "Why",
    recall_instructions: "What you should do",
    recall_opened: "Since",
    recall_id: "Recall number",

    about_product: "Product",
    about_claimed_product: "Product named in the code (not confirmed)",
    compare: "Compare with what is printed on the pack",
    lot: "Batch",
    expiry: "Expiry date",
    newer_version: "This is the information that was valid when the batch was made. The company \
                    has since updated it; what is printed on the pack applies.",
    public_info: "Published information",
    absent: "Not provided by the company",

    queries: "Earlier queries",
    first_query_means: "A first query does not mean that the pack was never opened, and a visible \
                        code can be copied. Check the seal as well.",
    count_means: "Shop staff, family and your own scans are all counted, so a number alone says \
                  nothing against the product. But a visible code can be copied: if there are \
                  more queries than you can explain, call the company first.",

    this_code: "This code",
    code: "Trace code",
    standing: "State of the code",
    as_of: "Checked at",
    beijing_time: "Beijing time",

    help: "Help",
    call_maker: "Call the company",
    call_printed: "To ask about the product, call the number printed on the pack.",
    call_hotline: "Complaints: 12315",
    type_a_code: "Enter another trace code",

    entry: "Look up a trace code",
    entry_label: "Trace code",
    entry_hint: "You can paste all of it.",
    entry_example: "For example (01)06901234567892(21)17K3M9QX2TR4VA, or the web address in the QR code",
    entry_submit: "Look up",
    entry_where: "Where to find the code",
    entry_places: &[
        "Digits and letters printed beside the QR code, often under the tin, on its side or on the lid.",
        "Or scan the QR code with your phone and paste the whole address here.",
        "The 13 digits below a barcode only name the kind of product, not the item in your hand.",
    ],
    unreadable: "This code could not be read",
    fault_part: "The part in question",

    photo: "Check with a photo",
    photo_take: "Take a photo",
    photo_choose: "or choose one you have",
    photo_hint: "JPEG, PNG or WebP, at most 4 MB. The photo is read for its codes and not kept.",
    photo_submit: "Send and check",
    photo_advice: &[
        "Let the QR code fill a third of the picture or more, whole and in focus.",
        "Avoid reflections and shadows; hold a curved label as flat as you can.",
        "If it still does not work, type the code printed beside it into the form below.",
    ],
    photo_found: "Several codes in the photo",
    photo_each: "Compare with the packs to see which code belongs to which product.",
    photo_open: "See the details",
    photo_other: "This QR code is not a trace code; it was not checked.",

    unavailable: "Cannot confirm now",
    unavailable_plainly: "The latest registrations and recalls cannot be reached, so nothing can be \
                          said about this product at the moment. Please do not rely on this \
                          page either way.",
    what_to_do: "What you can do now",
    problem_code: "Problem",
    request_id: "Request",
};

pub(super) const fn reason(reason: Reason) -> ReasonWords {
    let (short, meaning, action) = match reason {
        Reason::Recalled => (
            "Being recalled",
            "This product is covered by a recall.",
            "Stop using it now, keep it with its packaging and follow the recall notice. If \
             someone has used it and feels unwell, see a doctor.",
        ),
        Reason::Expired => (
            "Past its expiry date",
            "The expiry date printed on the pack has passed.",
            "Do not use it any more or pass it on; if you have just bought it, go back to the seller.",
        ),
        Reason::Void => (
            "This code was cancelled",
            "The company cancelled this code before it was ever used; it should not be on a \
             product that is sold.",
            "Do not use the product. Keep it and the receipt, and ask the seller and the company.",
        ),
        Reason::NotAllocated => (
            "This code was never issued",
            "It is not among the codes that have been issued.",
            "Check it and scan or type it once more. If the answer is the same, do not use the \
             product, and ask the seller and the company.",
        ),
        Reason::Destroyed => (
            "Recorded as destroyed",
            "By the record, the product with this code was destroyed and should not be found again.",
            "Do not use it. Keep it and the receipt, and call the company.",
        ),
        Reason::Collected => (
            "Recorded as taken back",
            "By the record, the product with this code was taken back in a recall and should not \
             be found again.",
            "Do not use it. Keep it and the receipt, and call the company.",
        ),
        Reason::CodeContradictsRecord => (
            "Code and record disagree",
            "The batch or the date in the code is not the one the company registered.",
            "Do not use the product. Photograph the code, batch and date on the pack, and call \
             the company.",
        ),
        Reason::SuspectedCopy => (
            "This code may have been copied",
            "There are two records that cannot both be of one product, so the code may be on more \
             than one.",
            "Do not use the product until this is cleared up. Keep it and the receipt, and call \
             the company.",
        ),
        Reason::QueriedOften => (
            "Queried unusually often",
            "This code was queried far more often than usual: perhaps many people scanned it, \
             perhaps it was copied.",
            "Check the seal, compare batch and date, and call the company before use.",
        ),
        Reason::NotCommissioned => (
            "This code is not in use yet",
            "It was issued, but the company has not registered it to any batch, so the origin of \
             this product is not on record.",
            "Do not use the product yet; call the company.",
        ),
        Reason::UnknownIssuer => (
            "No known issuer",
            "None of the companies registered here issues codes of this kind, so nothing can be \
             said about this product.",
            "Check the code and try once more. If the answer is the same, call the company named \
             on the pack.",
        ),
        Reason::NamesProductOnly => (
            "This code names the product, not this item",
            "All items of a product or a batch share it, so it says nothing about the one in your \
             hand.",
            "Scan the item's own trace code on the pack.",
        ),
        Reason::NamesLogisticUnit => (
            "This is the code of a shipping unit",
            "It names a pallet or another shipping unit and says nothing about each product inside.",
            "Scan the trace code on the product itself.",
        ),
        Reason::CannotConfirm => (
            "Cannot confirm now",
            "What is known here may be out of date, or the record of this batch is not published \
             yet.",
            "Try again later; until then, do not rely on this page to use the product.",
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
        Some(Legality::Legal) => "Valid: issued by the company",
        Some(Legality::Void) => "Cancelled",
        Some(Legality::NotCommissioned) => "Issued, not in use yet",
        Some(Legality::NotAllocated) => "Never issued",
        Some(Legality::UnknownIssuer) => "No known issuer",
        None => "Does not apply (the code names no single item)",
    }
}

pub(super) fn problem(status: u16) -> ProblemWords {
    const CHECK: &str = "Compare the code with the pack, then scan or type it once more.";
    const CALL: &str = "If it is urgent, call the company's number printed on the pack.";
    const AGAIN: &str = "Try again in a little while.";
    const NO_RESULT: &str = "This is not a result and says nothing about the product.";
    let (title, meaning, steps): (_, _, &[&str]) = match status {
        400 => (
            "This code could not be read",
            "It is not written as a trace code is, so nothing was looked up.",
            &[CHECK, CALL],
        ),
        404 => (
            "Nothing here",
            "This address belongs to no trace code and no file.",
            &[CHECK, CALL],
        ),
        405 => (
            "This address cannot be opened like this",
            "Nothing was looked up.",
            &["Scan the code again, or enter it."],
        ),
        413 => (
            "Too large",
            "What was sent is over the limit and was not read.",
            &["Send a smaller photo, or enter the code."],
        ),
        429 => (
            "Too many queries",
            "Your network sent too many queries in a short time; this one was not carried out.",
            &["Wait a minute, then try again.", CALL],
        ),
        503 => (
            EN.unavailable,
            EN.unavailable_plainly,
            &[
                "Until it is confirmed, please do not use the product.",
                "Try again in a few minutes.",
                CALL,
            ],
        ),
        500.. => ("Something went wrong", NO_RESULT, &[AGAIN, CALL]),
        _ => ("The query was not completed", NO_RESULT, &[AGAIN, CALL]),
    };
    ProblemWords {
        title,
        meaning,
        steps,
    }
}

pub(super) fn counted(count: u64, first_on: Option<&str>) -> String {
    match (count, first_on) {
        (0, _) => "This is the first recorded query of this code.".into(),
        (1, Some(day)) => {
            format!("This code was queried <strong>once</strong> before, on {day}.")
        }
        (1, None) => "This code was queried <strong>once</strong> before.".into(),
        (n, Some(day)) => {
            format!("This code was queried <strong>{n}</strong> times before, first on {day}.")
        }
        (n, None) => format!("This code was queried <strong>{n}</strong> times before."),
    }
}

pub(super) fn counted_ago(seconds: u64) -> String {
    let (n, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if n == 1 { "" } else { "s" };
    format!("Counted {n} {unit}{plural} ago.")
}
