package io.github.sgpt4j.weightstools.pickle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.sgpt4j.error.FormatException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the interpreter refuses, each with one sentence that names the file, the byte and the reason.
class HostilePickleTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    private static PickleBytes pickle() {
        return new PickleBytes();
    }

    static void refuses(String reason, PickleBytes pickle) {
        FormatException e = assertTimeoutPreemptively(
                SOON, () -> assertThrows(FormatException.class, () -> PickleReaderTest.read(pickle)));
        assertTrue(e.getMessage().matches("(?s)test\\.pkl: byte \\d+: .+"), e.getMessage());
        assertTrue(e.getMessage().contains(reason), e.getMessage());
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
        assertTrue(e.getMessage().length() < 600, e.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "os,system",
        "posix,system",
        "nt,system",
        "subprocess,Popen",
        "builtins,eval",
        "builtins,exec",
        "builtins,getattr",
        "builtins,__import__",
        "__builtin__,apply",
        "builtins,set",
        "copyreg,_reconstructor",
        "_codecs,encode",
        "functools,partial",
        "operator,attrgetter",
        "webbrowser,open",
        "collections,OrderedDict.fromkeys",
        "collections,defaultdict",
        "torch,load",
        "torch.storage,_load_from_bytes",
        "torch._utils,_rebuild_sparse_tensor",
        "torch._utils,_rebuild_device_tensor_from_numpy",
        "torch._tensor,_rebuild_from_type_v2",
        "torch.nn.modules.linear,Linear",
        "torch._utils,_import_dotted_name",
        "torch,ComplexFloatStorage",
        "numpy.core.multiarray,_reconstruct"
    })
    void everyOtherGlobalIsRefusedByNameWhereItIsMentioned(String module, String name) {
        String reason = "global \"" + module + "." + name + "\" is refused";
        refuses(reason, pickle().global(module, name));
        refuses(
                reason,
                pickle().proto(2).global(module, name).raw("(").text("true").raw("tR."));
        refuses(
                reason,
                pickle().proto(4).text(module).text(name).op(0x93).text("x").op(0x85, 'R', '.'));
        refuses(reason, pickle().raw("(").text("x").raw("i" + module + "\n" + name + "\n."));
        refuses(reason, pickle().raw("(").global(module, name).raw("o."));
        refuses(reason, pickle().global(module, name).op(')', 0x81, '.'));
    }

    @Test
    void aSystemCallIsRefusedAtItsNameBeforeAnythingIsBuilt() {
        PickleBytes pickle = pickle().proto(2)
                .global("os", "system")
                .raw("(")
                .text("echo pwned > /tmp/pwned")
                .raw("tR.");
        FormatException e = assertThrows(FormatException.class, () -> PickleReaderTest.read(pickle));
        assertEquals(
                "test.pkl: byte 2: global \"os.system\" is refused: expected only what rebuilds plain tensors",
                e.getMessage());
    }

    @Test
    void strangeNamesAreShownHarmlessly() {
        refuses("is refused", pickle().global("o\u001b[2Js\t", "sys\u0007tem"));
        refuses("is refused", pickle().global("x".repeat(60_000), "y"));
        refuses("a line of at most 65536 bytes", pickle().global("x".repeat(70_000), "y"));
    }

    @Test
    void nestedCallsAreRefused() {
        PickleBytes inner = pickle().global("builtins", "getattr")
                .raw("(")
                .global("os", "system")
                .text("x")
                .raw("tR");
        refuses("builtins.getattr", pickle().raw("(").add(inner).raw("tR."));
        PickleBytes made = pickle().global("collections", "OrderedDict").raw(")R");
        refuses("got a call of a dictionary", pickle().add(made).raw(")R."));
        PickleBytes tensor = pickle().tensor("FloatStorage", "0", 1, 0, new long[] {1}, new long[] {1});
        refuses("got a call of a tensor", tensor.raw(")R."));
    }

    @ParameterizedTest
    @CsvSource({"torch,FloatStorage", "torch.storage,UntypedStorage", "torch,float32"})
    void typesCannotBeCalled(String module, String name) {
        refuses(
                "got a call of " + module + "." + name,
                pickle().global(module, name).raw(")R."));
        refuses(
                "got a call of " + module + "." + name,
                pickle().global(module, name).op(')', 0x81, '.'));
        refuses("got a call of " + module + "." + name, pickle().raw("(i" + module + "\n" + name + "\n."));
    }

    @Test
    void stringsAndNumbersCannotBeCalled() {
        refuses("got a call of a string", pickle().text("os.system").raw(")R."));
        refuses("got a call of an integer", pickle().op('K', 1, ')', 'R', '.'));
        refuses(
                "expected a tuple of arguments, got a list",
                pickle().global("collections", "OrderedDict").raw("]R."));
        refuses("expected two strings as a global's name", pickle().op('K', 1, 'K', 2, 0x93, '.'));
        refuses("expected a class to make an object of", pickle().raw("(o."));
    }

    @ParameterizedTest
    @CsvSource({
        "80,PERSID",
        "130,EXT1",
        "131,EXT2",
        "132,EXT4",
        "143,EMPTY_SET",
        "144,ADDITEMS",
        "145,FROZENSET",
        "146,NEWOBJ_EX",
        "150,BYTEARRAY8",
        "151,NEXT_BUFFER",
        "152,READONLY_BUFFER"
    })
    void opcodesThatPyTorchDoesNotWriteAreRefusedByName(int code, String name) {
        refuses("opcode " + name + " is refused", pickle().op(code).raw("1\n."));
    }

    @Test
    void bytesThatAreNoOpcodeAreRefused() {
        refuses("opcode 0xff (unknown) is refused", pickle().op(255));
        refuses("expected pickle protocol 4 or lower, got 5", pickle().proto(5));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "K", "J\1", "X\1\0\0", "ctorch", "ctorch\nSize", "S'a", "G\1\2", "\u008a", "h", "N"})
    void pickleThatEndsEarlyIsRefused(String latin1) {
        refuses("got the end after", pickle().raw(latin1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                ".",
                "0",
                "1",
                "2",
                "a",
                "s",
                "t",
                "u",
                "e",
                "R",
                "b",
                "Q",
                "\u0085",
                "\u0093",
                "\u0094",
                "q\0",
                "(\u0085",
                "N(\u0086"
            })
    void stepsWithoutTheirValuesAreRefused(String latin1) {
        refuses("expected a", pickle().raw(latin1).raw("."));
    }

    @Test
    void badTextIsRefused() {
        refuses("expected a string in UTF-8", pickle().op('X').i32(1).op(0xff));
        refuses("expected a decimal integer", pickle().raw("I0x10\n."));
        refuses("expected a decimal integer", pickle().raw("L99999999999999999999L\n."));
        refuses("expected a decimal integer", pickle().raw("I9999999999999999999\n."));
        refuses("expected a decimal number", pickle().raw("F1d\n."));
        refuses("expected a decimal number", pickle().raw("F1.2.3\n."));
        refuses("expected a string in quotes", pickle().raw("S'a\n."));
        refuses("without backslashes", pickle().raw("S'\\x41'\n."));
        refuses("hexadecimal digits", pickle().raw("V\\u12\n."));
        refuses("hexadecimal digits", pickle().raw("V\\Uffffffff\n."));
    }

    @Test
    void thingsOfTheWrongKindAreRefused() {
        refuses("expected a list to append to, got a dictionary", pickle().raw("}Na."));
        refuses(
                "expected a dictionary to put entries into, got a list",
                pickle().raw("]").text("a").raw("Ns."));
        refuses("expected a value for every key", pickle().raw("}(Nu."));
        refuses("as a key, got None", pickle().raw("}NNs."));
        refuses("expected the number of a remembered value, got 5", pickle().op('h', 5, '.'));
        refuses("expected one value at the end", pickle().raw("NN."));
        refuses("expected one value at the end", pickle().raw("(N."));
        refuses("attributes of a dictionary only, got some of a tuple", pickle().raw(")}b."));
        refuses(
                "attributes in a dictionary, got a string",
                pickle().raw("}").text("x").raw("b."));
        refuses("expected pairs", pickle().global("collections", "OrderedDict").raw("(](NetR."));
        refuses(
                "no argument or a list",
                pickle().global("collections", "OrderedDict").raw("(NtR."));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"../../etc/passwd", "/etc/passwd", "..", ".", ".hidden", "a/b", "a\\b", "", "a\u0000", "é", "C:x"
            })
    void storageKeysThatLeadElsewhereAreRefused(String key) {
        AtomicInteger asked = new AtomicInteger();
        PickleInput input = new PickleInput(
                "test.pkl",
                MemorySegment.ofArray(
                        pickle().storage("FloatStorage", key, 1).raw(".").toByteArray()),
                0);
        FormatException e = assertThrows(
                FormatException.class,
                () -> PickleReader.read(input, (request, at) -> {
                    asked.incrementAndGet();
                    return new StorageView(request.key(), request.type().type(), 0, request.bytes());
                }));
        assertTrue(e.getMessage().contains("expected a plain name as a storage's key"), e.getMessage());
        assertEquals(0, asked.get());
    }

    @Test
    void persistentIdsOfAnotherFormAreRefused() {
        refuses("as persistent id, got a string", pickle().text("storage").raw("Q."));
        refuses("as persistent id, got a tuple", pickle().raw(")Q."));
        refuses(
                "as persistent id, got a tuple",
                pickle().raw("(")
                        .text("module")
                        .global("torch", "FloatStorage")
                        .text("0")
                        .text("cpu")
                        .whole(1)
                        .raw("tQ."));
        refuses(
                "as persistent id, got a tuple",
                pickle().raw("(")
                        .text("storage")
                        .global("collections", "OrderedDict")
                        .text("0")
                        .text("cpu")
                        .whole(1)
                        .raw("tQ."));
        refuses("a storage's number of elements, got -1", pickle().storage("FloatStorage", "0", -1));
        refuses("a storage's number of elements", pickle().storage("DoubleStorage", "0", Long.MAX_VALUE / 4));
    }

    @Test
    void tensorsThatAreNotPlainAreRefused() {
        PickleBytes hooks =
                pickle().global("torch._utils", "_rebuild_tensor_v2").raw("(");
        hooks.storage("FloatStorage", "0", 1)
                .whole(0)
                .tuple(1)
                .tuple(1)
                .op(0x89)
                .raw("}")
                .text("a")
                .raw("NstR.");
        refuses("got one with backward hooks", hooks);
        PickleBytes negated =
                pickle().global("torch._utils", "_rebuild_tensor_v2").raw("(");
        negated.storage("FloatStorage", "0", 1)
                .whole(0)
                .tuple(1)
                .tuple(1)
                .op(0x89)
                .raw("N");
        negated.raw("}").text("neg").op(0x88, 's', 't', 'R', '.');
        refuses("got one with metadata", negated);
        refuses(
                "expected 6 to 7 arguments",
                pickle().global("torch._utils", "_rebuild_tensor_v2").raw(")R."));
        PickleBytes untyped = pickle().global("torch._utils", "_rebuild_tensor").raw("(");
        untyped.raw("(")
                .text("storage")
                .global("torch.storage", "UntypedStorage")
                .text("0")
                .text("cpu")
                .whole(8)
                .raw("tQ");
        refuses(
                "expected a storage with an element type",
                untyped.whole(0).tuple(1).tuple(1).raw("tR."));
        refuses(
                "expected a tensor as a parameter's data",
                pickle().global("torch._utils", "_rebuild_parameter").op('(', 'N', 0x88, 'N', 't', 'R', '.'));
    }
}
