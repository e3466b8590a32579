//! `suyuan cert`: TLS without anybody's help, for a shop's own network.

use clap::Args;
use std::{error::Error, path::PathBuf};
use suyuan::{
    clock::Clock,
    tls::issue::{Address, issue},
};

/// What it is made for, and where it goes.
#[derive(Args)]
pub struct CertArgs {
    /// A host name or IP address by which devices find the server, without port; any number of them.
    #[arg(long = "address", required = true, num_args = 1.., value_name = "HOST_OR_IP")]
    addresses: Vec<Address>,
    /// The folder of the authority and of what it signs. Whoever reads authority.key in it can pose as
    /// this server to devices that trust it: keep it where the master key is.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Makes it and says what to do with it.
pub fn run(args: &CertArgs) -> Result<(), Box<dyn Error>> {
    let made = issue(&args.out, &args.addresses, Clock::system().now())?;
    let named: Vec<String> = args.addresses.iter().map(ToString::to_string).collect();
    let state = if made.is_new { "made now" } else { "as before" };
    let fingerprint = made.fingerprint;
    println!("authority    {} ({state})", made.authority.display());
    println!("certificate  {}", made.certificate.display());
    println!("             for {} until {}", named.join(", "), made.until);
    println!("\nSHA-256 fingerprint of the authority, as devices show it:\n");
    let groups = fingerprint.groups();
    let (first, second) = groups.split_at(groups.len() / 2);
    println!("    {}\n    {}", first.trim(), second.trim());
    println!("\nand its beginning, to read aloud:\n");
    println!("    {}\n    {}", fingerprint.hanzi(), fingerprint.english());
    println!("\nSettings of the server:\n\n    [internal]");
    let absolute =
        |path: &PathBuf| std::path::absolute(path).map(|path| path.display().to_string());
    println!("    tls_certificate = {:?}", absolute(&made.certificate)?);
    println!("    tls_key = {:?}", absolute(&made.key)?);
    println!("    tls_authority = {:?}", absolute(&made.authority)?);
    println!(
        "\nDevices find the authority at /app/trust. A server that runs takes up a renewal by itself."
    );
    Ok(())
}
