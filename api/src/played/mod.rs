//! Devices as this program plays them itself, in the demo and the simulator: their keys and what
//! they sign. It is no part of the service: nothing that serves may call it.

mod key;

pub use key::{DeviceKey, NoKey, is_signed};
