// Streams and events.
#include "api.h"
#include "device.h"

using namespace standin;

namespace {

Event* event_of(Device& d, void* handle) {
    std::lock_guard<std::mutex> guard(d.mutex);
    auto found = d.events.find(static_cast<Event*>(handle));
    return found == d.events.end() ? nullptr : *found;
}

/// An event of any device.
Event* any_event(void* handle) {
    for (int i = 0; i < device_count(); i++) {
        Event* event = event_of(device_at(i), handle);
        if (event != nullptr) {
            return event;
        }
    }
    return nullptr;
}

int bad_stream(const Call& call) { return call.refuse(400, "this is no stream of the current context"); }
int bad_event(const Call& call) { return call.refuse(400, "this is no event"); }

/// Refuses to wait for a stream that is captured, or to ask it. Returns 0 or the code.
int captured_stream(const Call& call, Stream* stream) {
    std::unique_lock<std::mutex> lock(stream->device->mutex);
    if (stream->capture == nullptr) {
        lock.unlock();
        return call.unsafe();
    }
    Device::invalidate(stream);
    lock.unlock();
    return call.refuse(900, "the stream is captured, which is invalid now");
}

/// Refuses to wait for an event whose last record is within a graph, or to ask it. Returns 0 or the code.
int captured_event(const Call& call, const Event* event) {
    std::unique_lock<std::mutex> lock(event->device->mutex);
    Stream* stream = event->captured;
    if (stream == nullptr) {
        lock.unlock();
        return call.unsafe();
    }
    if (event->device->streams.count(stream) > 0 && stream->capture != nullptr) {
        Device::invalidate(stream);
    }
    lock.unlock();
    return call.refuse(907, "the event was last recorded while its stream was captured");
}

/// A wait that would put a stream into another one's capture, or make a capture depend on what is not in it. Returns -1
/// if it is none of these, otherwise the status.
int wait_of_capture(const Call& call, Stream* stream, const Event* event) {
    std::unique_lock<std::mutex> lock(stream->device->mutex);
    if (stream->capture == nullptr && event->captured == nullptr) {
        return -1;
    }
    if (stream->capture != nullptr && event->captured == stream) {
        return stream->capture->invalid ? 901 : 0;
    }
    if (stream->capture != nullptr && event->captured == nullptr) {
        Device::invalidate(stream);
        lock.unlock();
        return call.refuse(905, "the event was recorded outside of the capture");
    }
    lock.unlock();
    return call.refuse(801, "the stand-in captures single streams only");
}

int elapsed(Call& call, float* milliseconds, void* start, void* end) {
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Event* a = any_event(start);
    Event* b = any_event(end);
    auto from = a == nullptr ? nullptr : a->device->last_record(a);
    auto to = b == nullptr ? nullptr : b->device->last_record(b);
    if (from == nullptr || to == nullptr || !a->timed || !b->timed) {
        return call.refuse(400, "an event is unknown, was never recorded or keeps no time");
    }
    if (a->captured != nullptr || b->captured != nullptr) {
        return call.refuse(907, "an event was last recorded while its stream was captured");
    }
    if (!from->done || !to->done) {
        return 600;
    }
    *milliseconds = std::chrono::duration<float, std::milli>(to->time - from->time).count();
    return 0;
}

}  // namespace

SGPT_API cuStreamCreate(void** stream, unsigned flags) {
    Call call("cuStreamCreate");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    if (flags > 1) {
        return call.refuse(1, "flags " + std::to_string(flags));
    }
    Device& d = call.device();
    std::lock_guard<std::mutex> guard(d.mutex);
    Stream* made = new Stream{&d, flags == 1, d.stream_count++, {}, false, d.host, 0, 0};
    d.streams.insert(made);
    *stream = made;
    return 0;
}

SGPT_API cuStreamSynchronize(void* handle) {
    Call call("cuStreamSynchronize");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Stream* stream = call.device().stream_of(handle);
    if (stream == nullptr) {
        return bad_stream(call);
    }
    status = captured_stream(call, stream);
    return status != 0 || call.left_out() ? status : call.device().drain(stream);
}

SGPT_API cuStreamQuery(void* handle) {
    Call call("cuStreamQuery");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Stream* stream = call.device().stream_of(handle);
    if (stream == nullptr) {
        return bad_stream(call);
    }
    status = captured_stream(call, stream);
    return status != 0 ? status : call.left_out() || call.device().poll(stream) ? 0 : 600;
}

SGPT_API cuStreamWaitEvent(void* handle, void* event_handle, unsigned flags) {
    Call call("cuStreamWaitEvent");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Device& d = call.device();
    Stream* stream = d.stream_of(handle);
    Event* event = any_event(event_handle);
    if (stream == nullptr || event == nullptr || flags != 0) {
        return stream == nullptr ? bad_stream(call) : event == nullptr ? bad_event(call) : call.refuse(1, "flags");
    }
    status = wait_of_capture(call, stream, event);
    if (status >= 0) {
        return status;
    }
    std::shared_ptr<Record> record = event->device->last_record(event);
    if (record == nullptr || call.left_out()) {
        return 0;
    }
    if (event->device == &d) {
        d.follow(stream, *record);
    } else {
        event->device->demand(record->clock);  // the other device does not know who waits for this one
    }
    return d.enqueue(stream, "cuStreamWaitEvent", [](std::string&) { return 0; },
                     [record] { return record->done.load(); });
}

SGPT_API cuStreamDestroy_v2(void* handle) {
    Call call("cuStreamDestroy");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Device& d = call.device();
    Stream* stream = handle == nullptr ? nullptr : d.stream_of(handle);
    if (stream == nullptr) {
        return bad_stream(call);
    }
    status = d.drain(stream);
    if (status != 0) {
        return status;
    }
    std::lock_guard<std::mutex> guard(d.mutex);
    d.streams.erase(stream);
    delete stream;
    return 0;
}

SGPT_API cuEventCreate(void** event, unsigned flags) {
    Call call("cuEventCreate");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    if (flags > 3) {
        return call.refuse(flags > 7 ? 1 : 801, "flags " + std::to_string(flags));
    }
    Device& d = call.device();
    Event* made = new Event{&d, (flags & 2) == 0, nullptr, 0};
    std::lock_guard<std::mutex> guard(d.mutex);
    d.events.insert(made);
    *event = made;
    return 0;
}

SGPT_API cuEventRecord(void* event_handle, void* handle) {
    Call call("cuEventRecord");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Device& d = call.device();
    Stream* stream = d.stream_of(handle);
    Event* event = event_of(d, event_handle);
    if (stream == nullptr || event == nullptr) {
        return stream == nullptr ? bad_stream(call) : bad_event(call);
    }
    return call.left_out() ? 0 : d.record(event, stream);
}

SGPT_API cuEventSynchronize(void* handle) {
    Call call("cuEventSynchronize");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Event* event = any_event(handle);
    if (event == nullptr) {
        return bad_event(call);
    }
    status = captured_event(call, event);
    if (status != 0) {
        return status;
    }
    std::shared_ptr<Record> record = event->device->last_record(event);
    return record == nullptr || call.left_out() ? 0 : event->device->wait_for(record->clock);
}

SGPT_API cuEventQuery(void* handle) {
    Call call("cuEventQuery");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Event* event = any_event(handle);
    if (event == nullptr) {
        return bad_event(call);
    }
    status = captured_event(call, event);
    return status != 0 ? status : call.left_out() || event->device->poll(event) ? 0 : 600;
}

SGPT_API cuEventElapsedTime(float* milliseconds, void* start, void* end) {
    Call call("cuEventElapsedTime");
    return elapsed(call, milliseconds, start, end);
}

SGPT_API cuEventElapsedTime_v2(float* milliseconds, void* start, void* end) {
    Call call("cuEventElapsedTime");
    return elapsed(call, milliseconds, start, end);
}

SGPT_API cuEventDestroy_v2(void* handle) {
    Call call("cuEventDestroy");
    int status = call.begin();
    if (status != 0) {
        return status;
    }
    Event* event = any_event(handle);
    if (event == nullptr) {
        return bad_event(call);
    }
    std::lock_guard<std::mutex> guard(event->device->mutex);
    event->device->events.erase(event);
    delete event;
    return 0;
}
