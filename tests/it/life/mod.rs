//! The life of a connection: what people say about it, main ones, disconnecting, coming back, the kill switch.

mod books;
mod cli;
mod lists;
mod main_account;
mod races;
mod review;
mod rights;
mod stories;
mod switch;
