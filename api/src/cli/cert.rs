//! `suyuan cert`: TLS without anybody's help, for a shop's own network.

use clap::Args;
use std::{error::Error, net::IpAddr, path::PathBuf};
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
    let absolute =
        |path: &PathBuf| std::path::absolute(path).map(|path| path.display().to_string());
    let url = args.addresses.first().map(url_of).unwrap_or_default();
    let (internal, handheld) = (
        [
            ("listen", LISTEN.to_owned()),
            ("tls_certificate", absolute(&made.certificate)?),
            ("tls_key", absolute(&made.key)?),
            ("tls_authority", absolute(&made.authority)?),
        ],
        ("url", url),
    );
    println!("\nSettings of the server, of `suyuan serve` as of `suyuan demo`:\n\n    [internal]");
    for (name, value) in &internal {
        println!("    {name} = {value:?}");
    }
    println!("\n    [handheld]\n    {} = {:?}", handheld.0, handheld.1);
    println!("\nor the same in a shell:\n");
    for (name, value) in &internal {
        println!(
            "    export SUYUAN__INTERNAL__{}={value:?}",
            name.to_uppercase()
        );
    }
    println!("    export SUYUAN__HANDHELD__URL={:?}", handheld.1);
    println!(
        "\nDevices find the authority at /app/trust. A server that runs takes up a renewal by itself."
    );
    Ok(())
}

/// Where the server listens, so that devices reach it.
const LISTEN: &str = "0.0.0.0:8081";

/// Where devices call a server at this address.
fn url_of(address: &Address) -> String {
    let port = LISTEN.rsplit(':').next().unwrap_or_default();
    match address {
        Address::Ip(IpAddr::V6(ip)) => format!("https://[{ip}]:{port}"),
        address => format!("https://{address}:{port}"),
    }
}
