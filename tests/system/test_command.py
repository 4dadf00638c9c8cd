"""What a plugin wants said to its device is heard by it, through a real broker."""
from clinic import Clinic, run, wait_for

TOPIC = "lumbar/v1/variant/v-01/telemetry"
COMMAND = "lumbar/v1/variant/v-01/command"


def device(clinic):
    return clinic.ask("/devices/variant/v-01")[1]


def a_device_hears_what_its_plugin_says_to_it(build):
    with Clinic(build, rooms={"room-1": ["variant/v-01"]},
                plugins=f"{build}/fixtures/commanding") as clinic:
        clinic.mqtt.subscribe(COMMAND)
        clinic.mqtt.publish(TOPIC, bytes([42]))  # of which the plugin has nothing to say
        wait_for("it is heard", lambda: device(clinic).get("messages") == 1)
        assert clinic.received(COMMAND) == [] and device(clinic)["commands"] == 0
        clinic.mqtt.publish(TOPIC, bytes([7]))
        wait_for("the command", lambda: clinic.received(COMMAND) == [b"say more"])
        said = device(clinic)
        assert (said["commands"], said["commands_refused"]) == (1, 0), said


def a_storm_of_wishes_is_one_command_a_second(build):
    with Clinic(build, rooms={"room-1": ["variant/v-01"]},
                plugins=f"{build}/fixtures/commanding") as clinic:
        clinic.mqtt.subscribe(COMMAND)
        for number in range(40):
            clinic.mqtt.publish(TOPIC, bytes([number]))
        wait_for("all of it", lambda: device(clinic).get("messages") == 40)
        said = device(clinic)
        assert said["commands"] >= 1 and said["commands"] + said["commands_refused"] == 40, said
        wait_for("as many as were said", lambda: len(clinic.received(COMMAND)) == said["commands"])


def what_was_said_by_a_run_before_is_not_said_again(build):
    with Clinic(build, rooms={"room-1": ["variant/v-01"]},
                plugins=f"{build}/fixtures/commanding") as clinic:
        clinic.mqtt.subscribe(COMMAND)
        clinic.mqtt.publish(TOPIC, bytes([7]))
        wait_for("the command", lambda: clinic.received(COMMAND) == [b"say more"])
        clinic.stop_hub()
        clinic.start_hub()
        clinic.mqtt.publish(TOPIC, bytes([42]))
        wait_for("both messages", lambda: device(clinic).get("messages") == 2)
        assert clinic.received(COMMAND) == [b"say more"] and device(clinic)["commands"] == 0


if __name__ == "__main__":
    run([a_device_hears_what_its_plugin_says_to_it, a_storm_of_wishes_is_one_command_a_second,
         what_was_said_by_a_run_before_is_not_said_again])
