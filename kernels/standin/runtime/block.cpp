// Runs a grid: blocks one after another, the threads of a block as fibers that switch at barriers and warp operations.
#include "block.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <numeric>

#include "memory.h"
#include "order.h"
#include "report.h"

namespace standin {

__thread Fiber* current __attribute__((tls_model("initial-exec"))) = nullptr;

namespace {

std::string position_text(const uint3& p) {
    char text[64];
    snprintf(text, sizeof text, "(%u,%u,%u)", p.x, p.y, p.z);
    return text;
}

/// First function on every stack: starts new fibers until one that has already started is to continue.
void fiber_main() {
    for (;;) {
        Fiber* self = current;
        Block* block = self->block;
        block->plan->kernel->call(block->argument_pointers.data());
        self = current;
        after_exit(self);
        self->finished = true;
        block->exited++;
        Fiber* next = block->next_ready();
        if (next != nullptr && !next->started) {
            next->started = true;
            next->stack = self->stack;
            current = next;
            continue;
        }
        block->stacks.give(self->stack);
        current = next;
        void* dropped;
        sgpt_standin_switch(&dropped, next != nullptr ? next->stack_pointer : block->scheduler);
    }
}

/// The stack pointer at which a fiber continues or starts.
void* entry_of(Block* block, Fiber* fiber) {
    if (!fiber->started) {
        fiber->stack = block->stacks.take();
        if (fiber->stack == nullptr) {
            report("no memory for the stack of a thread");
            abort();
        }
        fiber->stack_pointer = prepare_stack(fiber->stack, &fiber_main);
        fiber->started = true;
    }
    return fiber->stack_pointer;
}

}  // namespace

void fail(Fiber* self, int error, const std::string& what, const void* place) {
    Block* block = self->block;
    const LaunchPlan& plan = *block->plan;
    std::string source = source_position(place);
    char launch[200];
    snprintf(launch, sizeof launch, "\n  launched with grid %s, block %s, %u bytes of shared memory; order %" PRIu64,
             position_text(plan.grid).c_str(), position_text(plan.block).c_str(), plan.shared, plan.order);
    block->message = std::string("kernel ") + plan.kernel->name + ", block " + position_text(block->position) +
                     ", thread " + position_text(self->position) + ": " + what + launch +
                     (source.empty() ? "" : "\n  at " + source);
    block->error = error;
    void* dropped;
    current = nullptr;
    sgpt_standin_switch(&dropped, block->scheduler);
    __builtin_unreachable();
}

void Block::make_ready(Fiber* fiber) {
    size_t at = ready_first + ready_size;
    if (at >= ready.size()) {
        at -= ready.size();
    }
    ready[at] = fiber;
    ready_size++;
}

Fiber* Block::next_ready() {
    if (ready_size == 0) {
        return nullptr;
    }
    switch (plan->order & 3) {
        case 2: {  // any
            size_t chosen = ready_first + next_random() % ready_size;
            chosen = chosen >= ready.size() ? chosen - ready.size() : chosen;
            std::swap(ready[ready_first], ready[chosen]);
            break;
        }
        case 3: {  // the latest
            size_t last = ready_first + --ready_size;
            return ready[last >= ready.size() ? last - ready.size() : last];
        }
        default:
            break;
    }
    Fiber* next = ready[ready_first];
    ready_first = ready_first + 1 == ready.size() ? 0 : ready_first + 1;
    ready_size--;
    return next;
}

void Block::wait(Fiber* self) {
    Fiber* next = next_ready();
    if (next == self) {
        return;
    }
    current = next;
    sgpt_standin_switch(&self->stack_pointer, next != nullptr ? entry_of(this, next) : scheduler);
}

uint64_t Block::tick() {
    if (now >> time_shift >= last_time - 1) {
        barrier_time = (last_time + 1) << time_shift;  // clock overflow: no more races are detected in this block
        return now;
    }
    now += uint64_t{1} << time_shift;
    return now;
}

void Block::start_block(uint64_t sequence) {
    const uint3& grid = plan->grid;
    position = {static_cast<unsigned>(sequence % grid.x), static_cast<unsigned>(sequence / grid.x % grid.y),
                static_cast<unsigned>(sequence / grid.x / grid.y)};
    now = barrier_time = uint64_t{1} << time_shift;
    waiting = exited = barrier_sum = 0;
    ready_first = ready_size = 0;
    uint8_t* states = state_of(shared);
    std::fill(states, states + plan->shared, state_unwritten);

    uint64_t turn = blocks_run++ % last_launch + 1;
    if (turn == 1) {
        std::fill(cells_of(shared), cells_of(shared + Memory::shared_room), 0);
    }
    uint64_t key = (launch << launch_shift) | ((sequence & 0xfffff) << block_shift);
    for (unsigned i = 0; i < warps.size(); i++) {
        unsigned lanes = std::min(32u, count - i * 32);
        warps[i].present = lanes == 32 ? 0xffffffffu : (1u << lanes) - 1;
        warps[i].exited = 0;
        warps[i].meetings = 0;
    }
    for (unsigned i = 0; i < count; i++) {
        Fiber& f = fibers[i];
        f.key = key | (uint64_t{i} << thread_shift);
        f.shared_key = (turn << launch_shift) | (uint64_t{i} << thread_shift);
        f.warp_time = f.part_time = 0;
        f.part_mask = 0;
        f.waiting_for = nullptr;
        f.started = f.finished = false;
        f.groups = 0;
    }
    std::vector<unsigned> sequence_of(count);
    std::iota(sequence_of.begin(), sequence_of.end(), 0u);
    if (plan->order == 1) {
        std::reverse(sequence_of.begin(), sequence_of.end());
    } else if (plan->order > 1) {
        for (unsigned i = count; i > 1; i--) {
            std::swap(sequence_of[i - 1], sequence_of[next_random() % i]);
        }
    }
    for (unsigned i : sequence_of) {
        make_ready(&fibers[i]);
    }
}

void Block::run_block() {
    while (exited < count && error == 0) {
        Fiber* next = next_ready();
        if (next == nullptr) {
            stuck();
            return;
        }
        current = next;
        sgpt_standin_switch(&scheduler, entry_of(this, next));
        current = nullptr;
    }
}

/// Reports a deadlock, with what each thread waits for.
void Block::stuck() {
    unsigned at_barrier = 0;
    const Fiber* example = nullptr;
    const Fiber* exception = nullptr;
    for (const Fiber& f : fibers) {
        if (f.finished) {
            continue;
        }
        at_barrier += f.waiting_mask == 0 ? 1 : 0;
        if (example == nullptr) {
            example = &f;
        } else if (exception == nullptr && f.waiting_for != example->waiting_for) {
            exception = &f;
        }
    }
    std::string text = std::string("kernel ") + plan->kernel->name + ", block " + position_text(position) + ": " +
                       (at_barrier > 0 ? "divergent __syncthreads" : "divergent warp operation") + ": " +
                       std::to_string(exited) + " of " + std::to_string(count) + " threads have returned, " +
                       std::to_string(at_barrier) + " wait at __syncthreads, the others at warp operations; thread " +
                       position_text(example->position) + " waits at " + example->waiting_for;
    char mask[64] = "";
    if (example->waiting_mask != 0) {
        snprintf(mask, sizeof mask, " with mask 0x%08x", example->waiting_mask);
        text += mask;
    }
    if (exception != nullptr) {
        text += ", thread " + position_text(exception->position) + " at " + exception->waiting_for;
    }
    message = text + "\n  order " + std::to_string(plan->order);
    error = error_launch_failed;
}

void Block::prepare() {
    count = plan->block.x * plan->block.y * plan->block.z;
    shared = memory_of(plan->device).shared_base() + 1024;
    error = 0;
    message.clear();
    random = (plan->order + 1) * 0x9e3779b97f4a7c15u + launch;
    random = random == 0 ? 1 : random;
    argument_pointers.clear();
    for (const uint64_t& argument : plan->arguments) {
        argument_pointers.push_back(const_cast<uint64_t*>(&argument));
    }
    fibers.resize(count);
    warps.resize((count + 31) / 32);
    ready.assign(count, nullptr);
    uintptr_t slot = memory_of(plan->device).base();
    for (unsigned i = 0; i < count; i++) {
        Fiber& f = fibers[i];
        f.slot = slot;
        f.shared = shared;
        f.index = i;
        f.lane = i % 32;
        f.position = {i % plan->block.x, i / plan->block.x % plan->block.y, i / plan->block.x / plan->block.y};
        f.block = this;
        f.warp = &warps[i / 32];
        f.copies.clear();
    }
}

int Block::run(const LaunchPlan& launch_plan, const Order& launch_order) {
    plan = &launch_plan;
    order = &launch_order;
    launch = order->launch;
    prepare();
    uint64_t blocks = static_cast<uint64_t>(plan->grid.x) * plan->grid.y * plan->grid.z;
    uint64_t step = 1;
    uint64_t at = 0;
    if (plan->order == 1) {
        step = blocks - 1;
        at = blocks - 1;
    } else if (plan->order > 1 && blocks > 2) {
        at = next_random() % blocks;
        do {
            step = next_random() % (blocks - 1) + 1;
        } while (std::gcd(step, blocks) != 1);
    }
    for (uint64_t i = 0; i < blocks && error == 0; i++) {
        start_block(at);
        run_block();
        at = (at + step) % blocks;
    }
    std::fill(state_of(shared), state_of(shared) + plan->shared, state_none);
    if (error != 0) {
        stacks.reset();
    }
    plan = nullptr;
    return error;
}

}  // namespace standin
