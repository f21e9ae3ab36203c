//! rumqttc, the Rust client that many servers meet, against a real server. Its 3.1.1 and its 5.0 interface are two sets
//! of types of the same names, so that one macro tells the story to both; what only one of them has follows by itself.

use wasmqtt_tests::server::RealServer;

const LIMIT: std::time::Duration = wasmqtt_tests::server::PATIENCE;

/// The story that both interfaces are told. The module that expands it has brought in the types of its version, and
/// gives a Will Message as its version wants it.
macro_rules! story {
    ($will:expr) => {
        fn open(server: &RealServer, name: &str, will: Option<LastWill>) -> (Client, Connection) {
            let mut options = MqttOptions::new(name, server.tcp.ip().to_string(), server.tcp.port());
            allow_large_packets(&mut options);
            if let Some(will) = will {
                options.set_last_will(will);
            }
            Client::new(options, 100)
        }

        /// Lets the connection work until a packet comes that `wanted` takes.
        fn until<T>(connection: &mut Connection, wanted: impl Fn(Packet) -> Option<T>) -> T {
            loop {
                match connection.recv_timeout(LIMIT) {
                    Ok(Ok(Event::Incoming(packet))) => {
                        if let Some(found) = wanted(packet) {
                            return found;
                        }
                    }
                    Ok(Ok(Event::Outgoing(_))) => {}
                    other => panic!("{other:?}"),
                }
            }
        }

        fn message(connection: &mut Connection) -> Publish {
            until(connection, |packet| match packet {
                Packet::Publish(publish) => Some(publish),
                _ => None,
            })
        }

        /// A client that is subscribed to all that a story publishes.
        fn subscriber(server: &RealServer) -> (Client, Connection) {
            let (alice, mut incoming) = open(server, "alice", None);
            alice.subscribe("rust/#", QoS::ExactlyOnce).unwrap();
            until(&mut incoming, |packet| matches!(packet, Packet::SubAck(_)).then_some(()));
            (alice, incoming)
        }

        #[test]
        fn every_qos_a_large_message_and_a_will() {
            let server = RealServer::start();
            let (alice, mut incoming) = subscriber(&server);
            for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                alice.publish("rust/x", qos, false, format!("{qos:?}")).unwrap();
                let came = message(&mut incoming);
                assert_eq!((came.qos, came.payload.as_ref()), (qos, format!("{qos:?}").as_bytes()));
            }
            alice.publish("rust/large", QoS::AtLeastOnce, false, vec![b'x'; 300_000]).unwrap();
            assert_eq!(message(&mut incoming).payload.len(), 300_000);

            let (dying, mut its) = open(&server, "dying", Some($will));
            until(&mut its, |packet| matches!(packet, Packet::ConnAck(_)).then_some(()));
            drop((dying, its));
            assert_eq!(message(&mut incoming).payload.as_ref(), b"gone");
        }
    };
}

mod v311 {
    use super::*;
    use rumqttc::{Client, Connection, Event, LastWill, MqttOptions, Packet, Publish, QoS};

    fn allow_large_packets(options: &mut MqttOptions) {
        options.set_max_packet_size(1 << 20, 1 << 20);
    }

    story!(LastWill::new("rust/will", "gone", QoS::AtLeastOnce, false));
}

mod v5 {
    use super::*;
    use rumqttc::v5::mqttbytes::QoS;
    use rumqttc::v5::mqttbytes::v5::{LastWill, Packet, Publish, PublishProperties};
    use rumqttc::v5::{Client, Connection, Event, MqttOptions};

    fn allow_large_packets(options: &mut MqttOptions) {
        options.set_max_packet_size(Some(1 << 20));
    }

    story!(LastWill::new("rust/will", "gone", QoS::AtLeastOnce, false, None));

    #[test]
    fn properties() {
        let server = RealServer::start();
        let (alice, mut incoming) = subscriber(&server);
        let properties = PublishProperties {
            content_type: Some("text".into()),
            user_properties: vec![("b".into(), "1".into()), ("a".into(), "2".into())],
            ..PublishProperties::default()
        };
        alice.publish_with_properties("rust/p", QoS::AtLeastOnce, false, "x", properties.clone()).unwrap();
        let got = message(&mut incoming).properties.expect("properties");
        assert_eq!((got.content_type, got.user_properties), (properties.content_type, properties.user_properties));
    }
}
