//! The realistic small service: reads a query and an order in JSON, looks one customer up, answers JSON.
//!
//! # Invariants
//! - Whatever the request lacks, or whichever customer there is not, is [`Kind`]'s business: nothing panics.
//! - Customers never change, so the event loops share them without a lock.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::Value;

const CUSTOMERS: u32 = 1000;

static BY_ID: LazyLock<HashMap<String, Customer>> = LazyLock::new(|| {
    (0..CUSTOMERS)
        .map(Customer::numbered)
        .map(|c| (c.id.clone(), c))
        .collect()
});

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The query or the order is not as it must be.
    Malformed,
    /// No customer has this id.
    Unknown,
}

#[derive(Debug, Serialize)]
struct Customer {
    id: String,
    name: String,
    email: String,
}

impl Customer {
    fn numbered(number: u32) -> Self {
        Self {
            id: format!("shop/{number}"),
            name: format!("Customer {number}"),
            email: format!("customer.{number}@example.org"),
        }
    }
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    customer: &'a Customer,
    limit: u32,
    total: f64,
    lines: usize,
}

/// Makes the map of customers, so that no request waits for it.
pub(crate) fn prepare() {
    LazyLock::force(&BY_ID);
}

/// The JSON text that answers this query and this order.
pub(crate) fn answer(query: &str, order: &[u8]) -> Result<Vec<u8>, Kind> {
    let (mut id, mut limit) = (None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "customer" => id = Some(value),
            "limit" => limit = value.parse().ok(),
            _ => {}
        }
    }
    let order: Value = serde_json::from_slice(order).map_err(|_| Kind::Malformed)?;
    let items = order["items"].as_array().ok_or(Kind::Malformed)?;
    let mut total = 0.0;
    for item in items {
        total += price_of(item).ok_or(Kind::Malformed)?;
    }
    let id = id.ok_or(Kind::Malformed)?;
    let answer = Answer {
        customer: BY_ID.get(&*id).ok_or(Kind::Unknown)?,
        limit: limit.ok_or(Kind::Malformed)?,
        total,
        lines: items.len(),
    };
    serde_json::to_vec(&answer).map_err(|_| Kind::Malformed)
}

fn price_of(item: &Value) -> Option<f64> {
    Some(item["quantity"].as_f64()? * item["price"].as_f64()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &[u8] = br#"{"items":[{"quantity":2,"price":1.5},{"quantity":1,"price":4}]}"#;

    #[test]
    fn customer_and_sums_are_answered() {
        let json = answer("customer=shop%2F7&limit=3", ORDER);
        let expected = r#"{"customer":{"id":"shop/7","name":"Customer 7","email":"customer.7@example.org"},"limit":3,"total":7.0,"lines":2}"#;
        assert_eq!(json.as_deref(), Ok(expected.as_bytes()));
    }

    #[test]
    fn what_is_not_as_it_must_be_has_a_kind() {
        let table = [
            ("customer=shop%2F1000&limit=3", ORDER, Kind::Unknown),
            ("limit=3", ORDER, Kind::Malformed),
            ("customer=shop%2F7&limit=x", ORDER, Kind::Malformed),
            ("customer=shop%2F7&limit=3", b"{}".as_slice(), Kind::Malformed),
            (
                "customer=shop%2F7&limit=3",
                br#"{"items":[{"quantity":2}]}"#,
                Kind::Malformed,
            ),
            ("customer=shop%2F7&limit=3", b"{", Kind::Malformed),
        ];
        for (query, order, kind) in table {
            assert_eq!(answer(query, order), Err(kind), "{query}");
        }
    }
}
