//! What the stories share: people, firms, and short ways to read answers.

use sea_orm::EntityTrait;
use serde_json::{Value, json};
use suyuan::{
    accounts::{self, NewUser, Role},
    log::Actor,
};
use suyuan_sync::trace_code::check_digit;
use suyuan_tests::{Answer, Caller, TestApp};
use uuid::Uuid;

/// Good enough for every account of these tests.
pub const PASSWORD: &str = "correct horse battery";
/// What the application once made of it. Whoever signs in is told by it; that passwords are hashed
/// is for tests that set one.
const PASSWORD_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$Clfb+0kvI0l70zJ/4NyKIA$jvxN4oAJ3x7Zl7L7BJpjVZFc01SGjgL7dXmVdGYozxs";
/// GS1 sets prefix 952 aside for examples.
pub const PREFIX: &str = "9521234";

/// An enterprise with its people.
pub struct Firm {
    /// Its id.
    pub id: String,
    /// Its administrator.
    pub admin: Caller,
    /// One of its operators.
    pub operator: Caller,
}

/// Makes an account as set-up would, and signs it in.
pub async fn person(app: &TestApp, name: &str, role: Role, enterprise: Option<Uuid>) -> Caller {
    let user = NewUser {
        username: name.into(),
        password_hash: PASSWORD_HASH.to_owned(),
        role,
        enterprise,
    };
    accounts::create_user(&app.state().log, Actor::System, None, user)
        .await
        .expect("an account");
    app.signed_in(name, PASSWORD).await
}

/// The platform's administrator.
pub async fn platform(app: &TestApp) -> Caller {
    person(app, "platform.admin", Role::PlatformAdmin, None).await
}

/// An enterprise with these company prefixes, an administrator and an operator.
pub async fn firm(app: &TestApp, platform: &Caller, code: &str, prefixes: &[&str]) -> Firm {
    let body = json!({"code": code, "name": "企业", "gs1_prefixes": prefixes});
    let id = id(&made(platform.post("/v1/enterprises", &body).await));
    let own = Some(id.parse().expect("an id"));
    let lower = code.to_lowercase();
    let admin = format!("{lower}.admin");
    let operator = format!("{lower}.operator");
    Firm {
        admin: person(app, &admin, Role::EnterpriseAdmin, own).await,
        operator: person(app, &operator, Role::Operator, own).await,
        id,
    }
}

/// A GTIN-14 from its first 13 digits.
pub fn gtin(body: &str) -> String {
    let check = check_digit(body).expect("digits");
    format!("{body}{check}")
}

/// A formula product with a GTIN and a case, without any of its public items yet.
pub async fn product(admin: &Caller, code: &str, body: &str) -> String {
    let product = json!({
        "code": code, "name": "奶粉", "profile": "infant-formula",
        "gtin": gtin(body), "case_gtin": gtin(&format!("1{}", &body[1..])),
    });
    id(&made(admin.post("/v1/products", &product).await))
}

/// A batch made on 2026-01-15 that never expires, as far as it says.
pub async fn batch(admin: &Caller, product: &str, lot: &str) -> String {
    let body = json!({"product_id": product, "lot": lot, "production_date": "2026-01-15"});
    id(&made(admin.post("/v1/batches", &body).await))
}

/// A segment of items of a product.
pub async fn segment(admin: &Caller, product: &str, count: u64) -> Value {
    let body = json!({"product_id": product, "count": count});
    made(admin.post("/v1/segments", &body).await)
}

/// The body of a 201.
pub fn made(answer: Answer) -> Value {
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// The body of a 200.
pub fn ok(answer: Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Asserts which problem it is; returns its body.
pub fn refused(answer: Answer, code: &str) -> Value {
    assert_eq!(answer.problem(), code, "{}", answer.text());
    answer.json()
}

/// Asserts that exactly this one field is wrong, and how.
pub fn refused_field(answer: Answer, field: &str, fault: &str) {
    let text = answer.text();
    let body = refused(answer, "invalid-fields");
    let errors: Vec<_> = array(&body["errors"])
        .iter()
        .map(|e| (text_of(&e["field"]), text_of(&e["code"])))
        .collect();
    assert_eq!(errors, [(field.to_owned(), fault.to_owned())], "{text}");
}

/// `id` of a body.
pub fn id(body: &Value) -> String {
    text_of(&body["id"])
}

/// A string in JSON.
pub fn text_of(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// A number in JSON.
pub fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

/// A list in JSON.
pub fn array(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("no list: {value}"))
}

/// The highest position of the log.
pub async fn head(app: &TestApp) -> i64 {
    let head = suyuan::resolver::store::head(&app.state().db.as_reader()).await;
    head.expect("the head").1
}

/// Every entry of the log, in order.
pub async fn entries(app: &TestApp) -> Vec<suyuan::entities::log_entry::Model> {
    use sea_orm::QueryOrder;
    suyuan::entities::log_entry::Entity::find()
        .order_by_asc(suyuan::entities::log_entry::Column::Gseq)
        .all(app.state().db.reader())
        .await
        .expect("the log")
}

/// Pages through a list; returns the ids in order and the number of pages.
pub async fn walk(caller: &Caller, path: &str, limit: usize) -> (Vec<String>, usize) {
    let (mut ids, mut pages, mut after) = (Vec::new(), 0, String::new());
    loop {
        let page = ok(caller.get(&format!("{path}?limit={limit}{after}")).await);
        pages += 1;
        let items = array(&page["items"]);
        assert!(items.len() <= limit, "{path}: a page of {}", items.len());
        ids.extend(items.iter().map(id));
        assert!(pages < 1000, "{path} never ends");
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return (ids, pages),
        }
    }
}
