//! Writes the OpenAPI documents, or with `--check` says whether what is committed is in step.

use std::{error::Error, fs, process::ExitCode};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => {
            eprintln!("unknown argument {other}; known: --check");
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut behind = 0;
    for document in suyuan_openapi::documents()? {
        if !check {
            fs::write(document.path(), &document.text)?;
            println!("wrote {}", document.path().display());
        } else if !document.in_step()? {
            behind += 1;
            eprintln!(
                "{} is not in step; run: cargo run -p suyuan-openapi",
                document.name
            );
        }
    }
    Ok(if behind == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
