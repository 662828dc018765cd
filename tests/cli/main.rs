//! The built program, from the outside: verbs, files, streams and exit codes.

mod bench;
mod bits;
mod compare;
mod config;
mod ends;
mod help;
mod images;
mod inspect;
mod journeys;
mod place;
mod predict;
