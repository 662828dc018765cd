//! The built program, from the outside: verbs, files, streams and exit codes.

mod augment;
mod bench;
mod bits;
mod compare;
mod config;
mod cv;
mod decisions;
mod ends;
mod ensemble;
mod figures;
mod help;
mod images;
mod inspect;
mod journeys;
mod lr_find;
mod messages;
mod models;
mod networks;
mod optimizers;
mod place;
mod predict;
mod preprocessing;
mod resume;
mod running;
mod tables;
mod tune;
