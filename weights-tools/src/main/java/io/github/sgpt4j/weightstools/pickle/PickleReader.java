package io.github.sgpt4j.weightstools.pickle;

import io.github.sgpt4j.text.Quoted;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Constant;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Dictionary;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Name;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Real;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Sequence;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Text;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Tuple;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Whole;
import io.github.sgpt4j.weightstools.pickle.PickleValue.Wide;
import java.math.BigInteger;
import java.util.List;

/// Interprets a pickle (protocols 0 to 4, as Python's `pickletools` documents them) as plain data.
///
/// A pickle is a program: in Python, it may call any function. Here it can name only what [Global]
/// lists; any other name is refused where it is mentioned, before it is used. [Budget] bounds memory
/// and time.
public final class PickleReader {
    private static final int NEWEST_PROTOCOL = 4;
    private static final int MAX_LONG_BYTES = 16;

    private final PickleInput input;
    private final Budget budget;
    private final PickleStack stack;
    private final Calls calls;
    private final PersistentIds ids;

    private PickleReader(PickleInput input, StorageResolver resolver) {
        this.input = input;
        this.budget = new Budget(input);
        this.stack = new PickleStack(input, budget);
        this.calls = new Calls(input, budget);
        this.ids = new PersistentIds(input, resolver);
    }

    /// Reads one pickle; afterwards the input is positioned after it.
    ///
    /// @param input positioned where the pickle begins
    /// @param resolver knows the storages that the pickle may mention
    /// @throws io.github.sgpt4j.error.FormatException at the first problem
    public static PickleValue read(PickleInput input, StorageResolver resolver) {
        PickleReader reader = new PickleReader(input, resolver);
        while (reader.step()) {}
        return reader.stack.last();
    }

    /// @return whether to continue
    private boolean step() {
        input.mark();
        budget.spend(Budget.STEP);
        int code = input.u8();
        if (code == Opcode.STOP) {
            return false;
        }
        if (!number(code) && !text(code) && !container(code) && !memory(code)) {
            object(code);
        }
        return true;
    }

    private boolean number(int code) {
        switch (code) {
            case Opcode.NONE -> stack.push(Constant.NONE);
            case Opcode.NEWTRUE -> stack.push(Constant.TRUE);
            case Opcode.NEWFALSE -> stack.push(Constant.FALSE);
            case Opcode.BININT -> whole(input.i32());
            case Opcode.BININT1 -> whole(input.u8());
            case Opcode.BININT2 -> whole(input.u16());
            case Opcode.LONG1 -> wide(input.raw(input.u8(), MAX_LONG_BYTES));
            case Opcode.LONG4 -> wide(input.raw(input.i32(), MAX_LONG_BYTES));
            case Opcode.BINFLOAT -> real(input.bigEndianDouble());
            case Opcode.INT -> small(Literals.integer(input));
            case Opcode.LONG -> small(Literals.longInteger(input));
            case Opcode.FLOAT -> real(Literals.real(input));
            default -> {
                return false;
            }
        }
        return true;
    }

    private void whole(long value) {
        small(new Whole(value));
    }

    private void real(double value) {
        small(new Real(value));
    }

    private void small(PickleValue value) {
        budget.spend(Budget.SMALL);
        stack.push(value);
    }

    /// A little-endian number in two's complement.
    private void wide(byte[] bytes) {
        for (int i = 0, j = bytes.length - 1; i < j; i++, j--) {
            byte swapped = bytes[i];
            bytes[i] = bytes[j];
            bytes[j] = swapped;
        }
        budget.spend(Budget.SMALL);
        if (bytes.length > Long.BYTES) {
            small(new Wide(new BigInteger(bytes)));
        } else {
            whole(bytes.length == 0 ? 0 : new BigInteger(bytes).longValueExact());
        }
    }

    private boolean text(int code) {
        switch (code) {
            case Opcode.BINUNICODE -> text(input.utf8(input.u32()));
            case Opcode.SHORT_BINUNICODE -> text(input.utf8(input.u8()));
            case Opcode.BINUNICODE8 -> text(input.utf8(input.i64()));
            case Opcode.BINSTRING -> text(input.latin1(input.i32()));
            case Opcode.SHORT_BINSTRING, Opcode.SHORT_BINBYTES -> text(input.latin1(input.u8()));
            case Opcode.BINBYTES -> text(input.latin1(input.u32()));
            case Opcode.BINBYTES8 -> text(input.latin1(input.i64()));
            case Opcode.STRING -> text(Literals.quoted(input));
            case Opcode.UNICODE -> text(Literals.unicode(input));
            default -> {
                return false;
            }
        }
        return true;
    }

    private void text(String value) {
        budget.spend(Budget.SMALL + 2L * value.length());
        small(new Text(value));
    }

    private boolean container(int code) {
        switch (code) {
            case Opcode.EMPTY_TUPLE -> stack.push(stack.popTuple(0));
            case Opcode.TUPLE1 -> stack.push(stack.popTuple(1));
            case Opcode.TUPLE2 -> stack.push(stack.popTuple(2));
            case Opcode.TUPLE3 -> stack.push(stack.popTuple(3));
            case Opcode.TUPLE -> markedTuple();
            case Opcode.EMPTY_LIST -> stack.push(emptyList());
            case Opcode.LIST -> {
                List<PickleValue> items = stack.popMarked();
                stack.push(append(emptyList(), items));
            }
            case Opcode.APPEND -> {
                PickleValue item = stack.pop();
                append(stack.top(), List.of(item));
            }
            case Opcode.APPENDS -> {
                List<PickleValue> items = stack.popMarked();
                append(stack.top(), items);
            }
            case Opcode.EMPTY_DICT -> stack.push(emptyDict());
            case Opcode.DICT -> {
                List<PickleValue> items = stack.popMarked();
                stack.push(put(emptyDict(), items));
            }
            case Opcode.SETITEM -> {
                PickleValue value = stack.pop();
                PickleValue key = stack.pop();
                put(stack.top(), List.of(key, value));
            }
            case Opcode.SETITEMS -> {
                List<PickleValue> items = stack.popMarked();
                put(stack.top(), items);
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private void markedTuple() {
        List<PickleValue> items = stack.popMarked();
        budget.spend(Budget.SMALL + (long) Budget.REFERENCE * items.size());
        stack.push(new Tuple(items));
    }

    private Sequence emptyList() {
        budget.spend(Budget.CONTAINER);
        return new Sequence();
    }

    private Dictionary emptyDict() {
        budget.spend(Budget.CONTAINER);
        return new Dictionary();
    }

    private PickleValue append(PickleValue target, List<PickleValue> items) {
        if (!(target instanceof Sequence list)) {
            throw input.bad("expected a list to append to, got " + target.kind());
        }
        budget.spend((long) Budget.REFERENCE * items.size());
        list.items().addAll(items);
        return target;
    }

    private PickleValue put(PickleValue target, List<PickleValue> items) {
        if (!(target instanceof Dictionary dictionary)) {
            throw input.bad("expected a dictionary to put entries into, got " + target.kind());
        }
        if (items.size() % 2 != 0) {
            throw input.bad("expected a value for every key, got a key without one");
        }
        for (int i = 0; i < items.size(); i += 2) {
            calls.put(dictionary, items.get(i), items.get(i + 1));
        }
        return target;
    }

    private boolean memory(int code) {
        switch (code) {
            case Opcode.PROTO -> protocol(input.u8());
            case Opcode.FRAME -> frame(input.i64());
            case Opcode.MARK -> stack.mark();
            case Opcode.POP -> stack.drop();
            case Opcode.POP_MARK -> stack.popMarked();
            case Opcode.DUP -> stack.push(stack.top());
            case Opcode.GET -> stack.recall(Literals.index(input));
            case Opcode.BINGET -> stack.recall(input.u8());
            case Opcode.LONG_BINGET -> stack.recall(input.u32());
            case Opcode.PUT -> stack.remember(Literals.index(input));
            case Opcode.BINPUT -> stack.remember(input.u8());
            case Opcode.LONG_BINPUT -> stack.remember(input.u32());
            case Opcode.MEMOIZE -> stack.rememberNext();
            default -> {
                return false;
            }
        }
        return true;
    }

    private void protocol(int version) {
        if (version > NEWEST_PROTOCOL) {
            throw input.bad("expected pickle protocol %d or lower, got %d".formatted(NEWEST_PROTOCOL, version));
        }
    }

    private void frame(long length) {
        if (length < 0 || length > input.remaining()) {
            throw input.bad("expected a frame of at most %d bytes, got %s"
                    .formatted(input.remaining(), Long.toUnsignedString(length)));
        }
    }

    private void object(int code) {
        switch (code) {
            case Opcode.GLOBAL -> {
                String module = input.line();
                small(name(module, input.line()));
            }
            case Opcode.STACK_GLOBAL -> stackGlobal();
            case Opcode.REDUCE, Opcode.NEWOBJ -> {
                PickleValue arguments = stack.pop();
                PickleValue callable = stack.pop();
                stack.push(calls.call(callable, arguments));
            }
            case Opcode.INST -> {
                String module = input.line();
                Name name = name(module, input.line());
                markedTuple();
                stack.push(calls.call(name, stack.pop()));
            }
            case Opcode.OBJ -> {
                markedTuple();
                Tuple all = (Tuple) stack.pop();
                if (all.items().isEmpty()) {
                    throw input.bad("expected a class to make an object of, got none");
                }
                List<PickleValue> arguments = all.items().subList(1, all.items().size());
                stack.push(calls.call(all.items().getFirst(), new Tuple(arguments)));
            }
            case Opcode.BUILD -> build();
            case Opcode.BINPERSID -> small(ids.load(stack.pop()));
            default ->
                throw input.bad("pickle opcode %s is refused: PyTorch writes none in a dictionary of tensors"
                        .formatted(Opcode.name(code)));
        }
    }

    private void stackGlobal() {
        PickleValue name = stack.pop();
        PickleValue module = stack.pop();
        if (!(name instanceof Text(String symbol)) || !(module instanceof Text(String of))) {
            throw input.bad(
                    "expected two strings as a global's name, got %s and %s".formatted(module.kind(), name.kind()));
        }
        small(name(of, symbol));
    }

    private Name name(String module, String symbol) {
        return Global.find(module, symbol)
                .map(Name::new)
                .orElseThrow(() -> input.bad("global %s is refused: expected only what rebuilds plain tensors"
                        .formatted(Quoted.of(module + "." + symbol))));
    }

    /// Attributes set on an object: an ordered dictionary may have some (`_metadata`, versions of
    /// modules), which are not needed.
    private void build() {
        PickleValue state = stack.pop();
        if (!(stack.top() instanceof Dictionary)) {
            throw input.bad("expected attributes of a dictionary only, got some of "
                    + stack.top().kind());
        }
        if (!(state instanceof Dictionary) && !(state instanceof Tuple)) {
            throw input.bad("expected attributes in a dictionary, got " + state.kind());
        }
    }
}
