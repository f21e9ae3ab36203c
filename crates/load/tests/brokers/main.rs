//! The generator and the soak against brokers, right ones and wrong ones.

mod broker;
mod faults;
mod soak;
