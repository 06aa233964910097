"""A few right inputs of every parser, from which a fuzzer begins."""

from collections.abc import Mapping

SEEDS: Mapping[str, tuple[bytes, ...]] = {
    "realtime_json": (
        (
            b'{"type":"session.update","session":{"type":"realtime","output_modalities":["text"],'
            b'"audio":{"input":{"format":{"type":"audio/pcm","rate":24000},"turn_detection":'
            b'{"type":"server_vad","threshold":0.5}},"output":{"voice":"carla","speed":1.2}},'
            b'"tools":[{"type":"function","name":"f","parameters":{}}],"tool_choice":"auto"}}'
        ),
        (
            b'{"type":"conversation.item.create","item":{"type":"message","role":"user",'
            b'"content":[{"type":"input_audio","audio":"AAAAAA=="}]},"previous_item_id":"root"}'
        ),
        (
            b'{"type":"response.create","response":{"input":[{"type":"item_reference","id":"a"}],'
            b'"conversation":"none","metadata":{"a":"b"}}}'
        ),
        b'{"type":"conversation.item.truncate","item_id":"a","content_index":0,"audio_end_ms":1}',
    ),
    "realtime_binary": (bytes(8),),
    "twilio": (
        (
            b'{"event":"start","start":{"streamSid":"a","callSid":"b","mediaFormat":{"encoding":'
            b'"audio/x-mulaw","sampleRate":8000,"channels":1}}}'
        ),
        b'{"event":"media","media":{"track":"inbound","payload":"//8="}}',
        b'{"event":"dtmf","dtmf":{"digit":"1"}}',
    ),
    "audiosocket": (b"\x05\x01\x00\x10" + bytes(16) + b"\x10\x00\x04" + bytes(4) + b"\0\0\0",),
    "audio_file": (
        b"RIFF\x64\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0"
        b"data\x40\0\0\0" + bytes(64),
    ),
    "multipart": (
        (
            b'--line\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n'
            b"--line--\r\n"
        ),
    ),
    "rest_json": (
        (
            b'{"model":"tinig","messages":[{"role":"user","content":"Hi"}],"stream":true,"stop":["a"],'
            b'"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"temperature":1}'
        ),
    ),
    "config_toml": (
        (
            b'[server]\nport = 9000\nhost = "127.0.0.1"\n[[tts.voices]]\nlanguage = "en"\n'
            b'engine = "espeak"\n'
        ),
    ),
}
