//! A small sans-IO MQTT client. (Being written.)
#![no_std]
#![forbid(unsafe_code)]
