//! Shows a QR at a terminal and finds the address phones can reach.

use fast_qr::{ECL, QRBuilder};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};

/// Modules of white around a QR: four by the standard.
const QUIET: usize = 4;

/// A QR as text: two modules a character, black on white whatever the terminal's colours.
pub fn qr_for_terminal(text: &str) -> String {
    let Ok(qr) = QRBuilder::new(text).ecl(ECL::L).build() else {
        return String::new(); // longer than any QR: addresses never are
    };
    let size = qr.size + 2 * QUIET;
    let dark = |x: usize, y: usize| {
        let inside = (QUIET..QUIET + qr.size).contains(&x) && (QUIET..QUIET + qr.size).contains(&y);
        inside && qr[y - QUIET][x - QUIET].value()
    };
    let mut out = String::new();
    for y in (0..size).step_by(2) {
        out.push_str("\x1b[30;107m");
        for x in 0..size {
            out.push(match (dark(x, y), y + 1 < size && dark(x, y + 1)) {
                (false, false) => ' ',
                (true, false) => '▀',
                (false, true) => '▄',
                (true, true) => '█',
            });
        }
        out.push_str("\x1b[0m\n");
    }
    out
}

/// The address of this machine in its network, as the routing table would choose it. Nothing is
/// sent.
pub fn lan_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}
