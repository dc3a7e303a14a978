//! Route tables: what they answer, and that they answer it right.

mod reference;
mod routes;
mod table;
