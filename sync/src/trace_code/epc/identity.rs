//! From the parts of an EPC to the elements of a code: puts the digits in the order of the key,
//! adds the check digit, and hands both to the one place that judges values.

use super::Family;
use crate::trace_code::ai::find;
use crate::trace_code::digits::check_digit_of;
use crate::trace_code::elements::Elements;
use crate::trace_code::error::{CodeError, CodeFault};
use crate::trace_code::value::Value;

/// What stands behind the reference.
pub(super) enum Narrowed<'a> {
    /// Nothing: the EPC names a class, a logistic unit, or a place without extension.
    No,
    /// A lot.
    Lot(&'a Value),
    /// A serial, or the extension of a place.
    Serial(&'a Value),
}

/// Gives the elements that company prefix and reference of right length, both all digits, stand
/// for.
pub(super) fn name(
    family: Family,
    prefix: &Value,
    reference: &Value,
    narrowed: &Narrowed<'_>,
    elements: &mut Elements,
) -> Result<(), CodeError> {
    let key = key(family, prefix, reference)?;
    let place = prefix.position(0);
    let mut add = |ai: &str, position: usize, value: &Value| {
        let found = find(ai.as_bytes()).ok_or(CodeError::new(position, CodeFault::UnknownKey))?;
        elements.add(found, ai.as_bytes(), position, value)
    };
    let (ai, serial_ai) = match family {
        Family::Sgtin => ("01", "21"),
        Family::Sscc => ("00", "21"),
        Family::Sgln => ("414", "254"),
    };
    add(ai, place, &key)?;
    match narrowed {
        Narrowed::No => Ok(()),
        Narrowed::Lot(lot) => add("10", lot.position(0), lot),
        Narrowed::Serial(serial) => add(serial_ai, serial.position(0), serial),
    }
}

/// The digits of the key. Indicator and extension digit come first in a key, and in an EPC at the
/// beginning of the reference.
fn key(family: Family, prefix: &Value, reference: &Value) -> Result<Value, CodeError> {
    let mut key = Value::starting(prefix.position(0));
    let digits = |of: &Value, from: usize, to: usize, key: &mut Value| {
        (from..to.min(of.bytes().len())).try_for_each(|index| {
            let digit = of.bytes().get(index).copied().unwrap_or_default();
            key.push(digit, of.position(index))
        })
    };
    let leading = usize::from(!matches!(family, Family::Sgln));
    digits(reference, 0, leading, &mut key)?;
    digits(prefix, 0, usize::MAX, &mut key)?;
    digits(reference, leading, usize::MAX, &mut key)?;
    let check = check_digit_of(key.bytes()).ok_or(key.fault(CodeFault::BadDigit))?;
    let last = reference.position(reference.bytes().len().saturating_sub(1));
    key.push(b'0' + check, last)?;
    Ok(key)
}
