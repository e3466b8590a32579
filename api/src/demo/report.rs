//! A one-page PDF for the demo's inspection report and certificate: real bytes of a real file, so
//! that upload, publication and download are tried for true.

use std::fmt::Write;

/// A page that says `title` and `line`; ASCII only, which is all the built-in font has.
pub fn pdf(title: &str, line: &str) -> Vec<u8> {
    let text = format!(
        "BT /F1 20 Tf 60 760 Td ({title}) Tj 0 -40 Td /F1 12 Tf ({line}) Tj 0 -24 Td \
         (Demonstration data. Not a real document.) Tj ET"
    );
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R\
         /Resources<</Font<</F1 5 0 R>>>>>>"
            .to_owned(),
        format!("<</Length {}>>stream\n{text}\nendstream", text.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        let _ = writeln!(out, "{} 0 obj{object}endobj", n + 1); // writing to a String cannot fail
    }
    let start = out.len();
    let _ = write!(out, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        let _ = writeln!(out, "{offset:010} 00000 n ");
    }
    let size = objects.len() + 1;
    let _ = write!(
        out,
        "trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"
    );
    out.into_bytes()
}
