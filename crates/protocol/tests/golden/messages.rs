//! What each golden message means to the code: the fields that it reads, and that it writes them back as they were.

use tortoise_protocol::ask::{Ask, Told};
use tortoise_protocol::callback::{PhpClassAnswer, PhpOperation};
use tortoise_protocol::codec::{PhpReference, PhpTraits};
use tortoise_protocol::description::{
    ClassDescription, Constant, DefaultValue, Described, Literal, Method, MethodKind, Parameter, ParameterKind,
};
use tortoise_protocol::failure::{Category, Failure, RaisedException, Ran};
use tortoise_protocol::frame::{FLAG_ASYNC, FLAG_RELEASES, Header};
use tortoise_protocol::handshake::{AccessToken, Hello, Refusal, Welcome};
use tortoise_protocol::inheritance::Extension;
use tortoise_protocol::operation::Operation;
use tortoise_protocol::php_class::{MEMBER_PROTECTED, Members, PhpClass};
use tortoise_protocol::rebound::{PhpThrowable, Rebound};
use tortoise_protocol::request::{
    Fingerprint, MethodName, Question, Selector, read_argument_count, read_describe, read_iteration,
    read_named_argument_count, read_releases, read_roots, read_share, write_describe, write_iteration, write_releases,
    write_roots, write_share,
};
use tortoise_protocol::thrown::{Code, PhpException, Thrown};
use tortoise_protocol::traceback::{Frame, Traceback};
use tortoise_protocol::{ObjectReference, Reader, Segment, SegmentKind, Token, Writer};

const FINGERPRINT: Fingerprint = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Checks the payload of the message of that name.
pub(crate) fn check(name: &str, header: Header, payload: &[u8]) {
    let mut reader = Reader::new(payload);
    match name {
        "hello" => hello(payload, None),
        "hello, with a token" => {
            hello(payload, Some(AccessToken::from_file_content(b"0123456789abcdef0123456789abcdef").expect("long")));
        }
        "welcome" => {
            let expected = Welcome { product: text("0.1.0"), process: 4712, python: text("3.11.2") };
            assert_eq!(Welcome::read(payload).as_ref(), Ok(&expected));
            assert_eq!(written(|buffer| expected.write(buffer)), payload);
        }
        "refusal" => {
            let expected = Refusal { message: text("full"), retry: true };
            assert_eq!(Refusal::read(payload).as_ref(), Ok(&expected));
            assert_eq!(written(|buffer| expected.write(buffer)), payload);
        }
        "ask" => {
            let expected = Ask { product: text("0.1.0"), command: text("status"), token: None };
            assert_eq!(Ask::read(payload).as_ref(), Ok(&expected));
            assert_eq!(written(|buffer| expected.write(buffer)), payload);
        }
        "told" => {
            let expected = Told { json: text("{}") };
            assert_eq!(Told::read(payload).as_ref(), Ok(&expected));
            assert_eq!(written(|buffer| expected.write(buffer)), payload);
        }
        "retired" => assert_eq!(payload, b""),
        "describe, by name" => describe(payload, Selector::Name("Foo_Bar"), None),
        "describe, by class, with the fingerprint that the client holds" => {
            describe(payload, Selector::Class(4), Some(FINGERPRINT));
        }
        "construct" => {
            assert_eq!(numbers(&mut reader, 2), [4, 1], "the class and the new object");
            assert_eq!(read_argument_count(&mut reader), Ok(0));
            assert_eq!(read_named_argument_count(&mut reader), Ok(1));
            assert_eq!(reader.name("a name"), Ok("n"));
            assert_eq!(reader.token(), Ok(Token::Integer(4)));
            assert_eq!(reader.end(), Ok(()));
        }
        "call" => {
            assert_eq!(numbers(&mut reader, 1), [1], "the target");
            assert_eq!(MethodName::read(&mut reader), Ok(MethodName::Text("twice")));
            assert_eq!(read_argument_count(&mut reader), Ok(2));
            assert_eq!(reader.token(), Ok(Token::Float(1.5)));
            assert_eq!(reader.token(), Ok(Token::Handle(1)));
            assert_eq!(read_named_argument_count(&mut reader), Ok(1));
            assert_eq!(reader.name("a name"), Ok("plus"));
            assert_eq!(reader.token(), Ok(Token::Integer(-3)));
            assert_eq!(reader.end(), Ok(()));
        }
        "call, with releases in front" => {
            releases(&mut reader, header, &[(7, 1), (300, 2)]);
            assert_eq!(numbers(&mut reader, 1), [1], "the target");
            assert_eq!(reader.name("a method"), Ok(""));
            assert_eq!((read_argument_count(&mut reader), read_named_argument_count(&mut reader)), (Ok(0), Ok(0)));
            assert_eq!(reader.end(), Ok(()));
        }
        "call, which gives its method an index" => {
            assert_eq!(numbers(&mut reader, 1), [1], "the target");
            method(&mut reader, MethodName::Indexed(3, "twice"));
        }
        "call, by index" => {
            assert_eq!(numbers(&mut reader, 1), [1], "the target");
            method(&mut reader, MethodName::Index(3));
        }
        "call, with a segment" => {
            assert_eq!(header.segment_bytes, 10_000_000);
            assert_eq!(numbers(&mut reader, 1), [1], "the target");
            assert_eq!(MethodName::read(&mut reader), Ok(MethodName::Index(4)));
            assert_eq!(read_argument_count(&mut reader), Ok(1));
            let segment = Segment { kind: SegmentKind::Binary, bytes: 10_000_000 };
            assert_eq!(reader.token(), Ok(Token::Segment(segment)));
            assert_eq!(read_named_argument_count(&mut reader), Ok(0));
            assert_eq!(reader.end(), Ok(()));
        }
        "iterate" | "next" => {
            assert_eq!(read_iteration(&mut reader), Ok((6, 64)));
            assert_eq!(reader.end(), Ok(()));
            assert_eq!(written(|buffer| write_iteration(&mut Writer::new(buffer), 6, 64)), payload);
        }
        "values" => {
            assert_eq!(numbers(&mut reader, 1), [6], "the target");
            assert_eq!(reader.end(), Ok(()));
        }
        "operate, item" => operate(&mut reader, Operation::GetItem, &[Token::Handle(6), Token::Text(b"1:3")]),
        "operate, with a value of PHP on the left" => {
            operate(&mut reader, Operation::Subtract, &[Token::Float(1.5), Token::Handle(6)]);
        }
        "get, with every field of the header" => {
            assert_eq!((header.cpu, header.call, header.parent, header.thread), (3, 9, 8, 256));
            assert_eq!(header.segment_bytes, 0);
            releases(&mut reader, header, &[(7, 2)]);
            attribute(&mut reader, 5, "size");
            assert_eq!(reader.end(), Ok(()));
        }
        "get" | "delete" => {
            attribute(&mut reader, 1, "n");
            assert_eq!(reader.end(), Ok(()));
        }
        "set" => {
            attribute(&mut reader, 1, "n");
            assert_eq!(reader.token(), Ok(Token::Integer(5)));
            assert_eq!(reader.end(), Ok(()));
        }
        "has" => {
            attribute(&mut reader, 1, "n");
            assert_eq!(Question::read(&mut reader), Ok(Question::IsSet));
            assert_eq!(reader.end(), Ok(()));
        }
        "roots" => {
            let expected = ["/srv/classes", "/srv/more"];
            assert_eq!(read_roots(&mut reader).as_deref(), Ok(&expected[..]));
            assert_eq!(reader.end(), Ok(()));
            assert_eq!(written(|buffer| write_roots(&mut Writer::new(buffer), &expected)), payload);
        }
        "share" => {
            assert_eq!(read_share(&mut reader), Ok(("model", "Big_Model")));
            assert_eq!(read_argument_count(&mut reader), Ok(1));
            assert_eq!(reader.token(), Ok(Token::Float(2.5)));
            assert_eq!(read_named_argument_count(&mut reader), Ok(1));
            assert_eq!(reader.name("a name"), Ok("n"));
            assert_eq!(reader.token(), Ok(Token::Integer(4)));
            assert_eq!(reader.end(), Ok(()));
            let begins = written(|buffer| write_share(&mut Writer::new(buffer), "model", "Big_Model"));
            assert!(payload.starts_with(&begins));
        }
        "import" => {
            assert_eq!((reader.name("a module"), reader.end()), (Ok("os.path"), Ok(())));
        }
        "script" => {
            assert_eq!((reader.name("a script"), reader.name("a function")), (Ok("tools/h"), Ok("hello")));
            assert_eq!(reader.end(), Ok(()));
        }
        "enter" => assert_eq!((numbers(&mut reader, 1), reader.end()), (vec![6], Ok(()))),
        "exit" => exit(&mut reader, 1, &Thrown::Nothing),
        "exit, without coming to the end" => exit(&mut reader, 2, &Thrown::Left),
        "exit, with an exception of Python" => exit(&mut reader, 3, &Thrown::Python(8)),
        "exit, of no context" => exit(&mut reader, 0, &Thrown::Python(8)),
        "exit, with an exception of PHP" => {
            let (class, message, code, file) = ("LogicException", "no", Code::Integer(7), "/srv/a.php");
            exit(&mut reader, 4, &Thrown::Php(PhpException { class, message, code, file, line: 12 }));
        }
        "release" => {
            releases(&mut reader, header, &[(7, 1)]);
            assert_eq!(reader.end(), Ok(()));
        }
        "end request" => assert_eq!(payload, b""),
        "call, not waited for" => {
            assert_eq!(header.flags, FLAG_ASYNC);
            assert_eq!(numbers(&mut reader, 1), [3], "the target");
            method(&mut reader, MethodName::Text("fetch"));
        }
        "hold" => assert_eq!((header.call, payload), (31, &b""[..])),
        "cancel" => {
            assert_eq!((header.call, reader.unsigned("a call id"), reader.end()), (0, Ok(30), Ok(())));
        }
        "value" => assert_eq!((reader.token(), reader.end()), (Ok(Token::Integer(9)), Ok(()))),
        "value, an object" => {
            let object = ObjectReference { id: 1, class: 4, traits: 0 };
            assert_eq!((reader.token(), reader.end()), (Ok(Token::Object(object)), Ok(())));
        }
        "value, a context that was entered" => {
            assert_eq!(
                (reader.token(), numbers(&mut reader, 2), reader.end()),
                (Ok(Token::Array(2)), vec![1, 9], Ok(()))
            );
        }
        "value, the first items" => {
            let iterator = ObjectReference { id: 8, class: 10, traits: 0 };
            assert_eq!((reader.token(), reader.token()), (Ok(Token::Object(iterator)), Ok(Token::Array(2))));
            assert_eq!((numbers(&mut reader, 2), reader.end()), (vec![1, 2], Ok(())));
        }
        "value, the last items" => {
            assert_eq!((reader.token(), reader.token()), (Ok(Token::Boolean(false)), Ok(Token::Array(1))));
            assert_eq!((numbers(&mut reader, 1), reader.end()), (vec![3], Ok(())));
        }
        "failure, of Python" => failure(payload, &key_error()),
        "failure, of ours" => failure(payload, &Failure::new(Category::Access, Ran::No, "_n is private")),
        "described" => assert_eq!(Described::read(payload), Ok(described(4, Vec::new(), Some(foo_bar())))),
        "described, as the client holds it" => {
            assert_eq!(Described::read(payload), Ok(described(4, vec![2], None)));
        }
        "php call" => {
            assert_eq!((header.call, header.parent, header.thread), (1, 4, 0));
            assert_eq!((numbers(&mut reader, 1), reader.name("a method")), (vec![2], Ok("add")));
            assert_eq!(read_argument_count(&mut reader), Ok(2));
            assert_eq!(reader.token(), Ok(Token::Text(b"apple")));
            assert_eq!(reader.token(), Ok(Token::PhpHandle(1)));
            assert_eq!(read_named_argument_count(&mut reader), Ok(1));
            assert_eq!((reader.name("a name"), numbers(&mut reader, 1)), (Ok("many"), vec![3]));
            assert_eq!(reader.end(), Ok(()));
        }
        "php call, of the object itself, from another thread, with releases in front" => {
            assert_eq!((header.call, header.parent, header.thread), (2, 4, 1));
            releases(&mut reader, header, &[(5, 2)]);
            assert_eq!((numbers(&mut reader, 1), reader.name("a method")), (vec![3], Ok("")));
            assert_eq!(read_argument_count(&mut reader), Ok(1));
            let object = ObjectReference { id: 8, class: 10, traits: 0 };
            assert_eq!(reader.token(), Ok(Token::Object(object)));
            assert_eq!((read_named_argument_count(&mut reader), reader.end()), (Ok(0), Ok(())));
        }
        "call, in a callback" => {
            assert_eq!((header.call, header.parent), (5, 1));
            assert_eq!(numbers(&mut reader, 1), [1], "the target");
            method(&mut reader, MethodName::Text("twice"));
        }
        "php get" | "php has" | "php delete" => {
            attribute(&mut reader, 2, "size");
            assert_eq!(reader.end(), Ok(()));
        }
        "php set" => {
            attribute(&mut reader, 2, "size");
            assert_eq!((reader.token(), reader.end()), (Ok(Token::Integer(5)), Ok(())));
        }
        "php operate" => {
            let mut again = Vec::new();
            PhpOperation::SetItem.write(&mut Writer::new(&mut again), 2);
            assert!(payload.starts_with(&again));
            assert_eq!(PhpOperation::read(&mut reader), Ok((PhpOperation::SetItem, 2)));
            assert_eq!(reader.token(), Ok(Token::Text(b"apple")));
            assert_eq!((reader.token(), reader.end()), (Ok(Token::Integer(7)), Ok(())));
        }
        "php function" => {
            assert_eq!(reader.name("a function"), Ok("strlen"));
            assert_eq!((read_argument_count(&mut reader), reader.token()), (Ok(1), Ok(Token::Text(b"abc"))));
            assert_eq!((read_named_argument_count(&mut reader), reader.end()), (Ok(0), Ok(())));
        }
        "php class" => assert_eq!((reader.name("a class"), reader.end()), (Ok("Basket"), Ok(()))),
        "php release" => {
            releases(&mut reader, header, &[(5, 2)]);
            assert_eq!(reader.end(), Ok(()));
        }
        "returned" => assert_eq!((reader.token(), reader.end()), (Ok(Token::Integer(9)), Ok(()))),
        "returned, a PHP object of a new class" => {
            let description = written(|buffer| basket().write(buffer));
            let object = PhpReference { id: 2, class: 1, traits: PhpTraits::COUNTABLE, description: &description };
            assert_eq!((reader.token(), reader.end()), (Ok(Token::PhpObject(object)), Ok(())));
            assert_eq!(PhpClass::read(&description), Ok(basket()));
        }
        "returned, a class that the session knows" => {
            let answer = Some(PhpClassAnswer { class: 1, traits: PhpTraits::COUNTABLE, description: &[] });
            assert_eq!((PhpClassAnswer::read(&mut reader), reader.end()), (Ok(answer), Ok(())));
            assert_eq!(written(|buffer| PhpClassAnswer::write(answer, &mut Writer::new(buffer))), payload);
        }
        "threw, an exception of Python" => rebound(payload, Rebound::Python(8)),
        "threw, an exception of PHP" => {
            let object = PhpReference { id: 3, class: 2, traits: PhpTraits::THROWABLE, description: &[] };
            let (message, code, file) = ("no", Code::Integer(7), "/srv/a.php");
            rebound(payload, Rebound::Php(PhpThrowable { object, message, code, file, line: 12 }));
        }
        "threw, the end of the request" => rebound(payload, Rebound::Exit),
        "threw, a refusal" => rebound(payload, Rebound::Refused(Category::Access, "Basket::$key is private")),
        "extend" => {
            let description = written(|buffer| basket().write(buffer));
            let class = PhpClassAnswer { class: 2, traits: PhpTraits(0), description: &description };
            let (methods, properties) = (Members(vec![("add", 0)]), Members(vec![("size", MEMBER_PROTECTED)]));
            let expected = Extension { parent: 4, class, methods, properties };
            assert_eq!((Extension::read(&mut reader).as_ref(), reader.end()), (Ok(&expected), Ok(())));
            assert_eq!(written(|buffer| expected.write(&mut Writer::new(buffer))), payload);
        }
        "halve" => {
            assert_eq!(numbers(&mut reader, 2), [6, 7], "the class and the new object");
            half(&mut reader);
            assert_eq!(reader.end(), Ok(()));
        }
        "initialize" => {
            assert_eq!(numbers(&mut reader, 3), [4, 6, 7], "the class of `__init__`, the object's, the object");
            half(&mut reader);
            assert_eq!((read_argument_count(&mut reader), reader.token()), (Ok(1), Ok(Token::Text(b"apple"))));
            assert_eq!((read_named_argument_count(&mut reader), reader.end()), (Ok(0), Ok(())));
        }
        "call from" => {
            assert_eq!(numbers(&mut reader, 2), [4, 7], "the class and the target");
            assert_eq!(MethodName::read(&mut reader), Ok(MethodName::Text("add")));
            assert_eq!((read_argument_count(&mut reader), numbers(&mut reader, 1)), (Ok(1), vec![1]));
            assert_eq!((read_named_argument_count(&mut reader), reader.end()), (Ok(0), Ok(())));
        }
        "let go" => assert_eq!((numbers(&mut reader, 1), reader.end()), (vec![7], Ok(()))),
        "php call own" => {
            assert_eq!((numbers(&mut reader, 1), reader.name("a class")), (vec![2], Ok("Basket")));
            method(&mut reader, MethodName::Text("price"));
        }
        "php get own" | "php set own" => {
            assert_eq!((numbers(&mut reader, 1), reader.name("a class")), (vec![2], Ok("Basket")));
            assert_eq!(reader.name("a property"), Ok("size"));
            if name == "php set own" {
                assert_eq!(numbers(&mut reader, 1), [5]);
            }
            assert_eq!(reader.end(), Ok(()));
        }
        "php halve" => {
            let object = ObjectReference { id: 8, class: 10, traits: 0 };
            assert_eq!((reader.token(), reader.end()), (Ok(Token::Object(object)), Ok(())));
        }
        _ => panic!("nothing checks the fields of the message \"{name}\""),
    }
}

fn basket() -> PhpClass<'static> {
    PhpClass {
        name: "Basket",
        flags: 0,
        parents: vec!["Countable"],
        methods: Members(vec![("add", 0), ("count", 0), ("price", MEMBER_PROTECTED)]),
        properties: Members(vec![("size", 0)]),
    }
}

fn half(reader: &mut Reader<'_>) {
    let object = PhpReference { id: 2, class: 1, traits: PhpTraits::COUNTABLE, description: &[] };
    assert_eq!(reader.token(), Ok(Token::PhpObject(object)));
}

fn rebound(payload: &[u8], expected: Rebound<'_>) {
    let mut reader = Reader::new(payload);
    assert_eq!((Rebound::read(&mut reader), reader.end()), (Ok(expected), Ok(())));
    assert_eq!(written(|buffer| expected.write(&mut Writer::new(buffer))), payload);
}

fn operate(reader: &mut Reader<'_>, operation: Operation, operands: &[Token<'_>]) {
    let mut again = Vec::new();
    operation.write(&mut Writer::new(&mut again));
    assert_eq!(Operation::read(reader), Ok(operation));
    assert_eq!(again, [operation as u8, 0x90 + operands.len() as u8]);
    for operand in operands {
        assert_eq!(reader.token().as_ref(), Ok(operand));
    }
    assert_eq!(reader.end(), Ok(()));
}

fn hello(payload: &[u8], token: Option<AccessToken>) {
    let expected = Hello {
        product: text("0.1.0"),
        process: 4711,
        roots: vec![text("/srv/classes")],
        modules: vec![text("json")],
        shared_memory: true,
        token,
    };
    assert_eq!(Hello::read(payload).as_ref(), Ok(&expected));
    assert_eq!(written(|buffer| expected.write(buffer)), payload);
}

fn describe(payload: &[u8], selector: Selector<'_>, held: Option<Fingerprint>) {
    let mut reader = Reader::new(payload);
    assert_eq!(read_describe(&mut reader), Ok((selector, held)));
    assert_eq!(reader.end(), Ok(()));
    assert_eq!(written(|buffer| write_describe(&mut Writer::new(buffer), selector, held.as_ref())), payload);
}

fn releases(reader: &mut Reader<'_>, header: Header, expected: &[(u64, u64)]) {
    assert_eq!(header.flags, FLAG_RELEASES);
    let mut rewritten = Vec::new();
    write_releases(&mut Writer::new(&mut rewritten), expected);
    assert_eq!(reader.clone().value(), Ok(&rewritten[..]));
    let mut found = Vec::new();
    assert_eq!(read_releases(reader, |id, count| found.push((id, count))), Ok(()));
    assert_eq!(found, expected);
}

/// A call without arguments.
fn method(reader: &mut Reader<'_>, expected: MethodName<'_>) {
    let mut rewritten = Vec::new();
    expected.write(&mut Writer::new(&mut rewritten));
    assert_eq!(MethodName::read(reader), Ok(expected));
    assert_eq!(MethodName::read(&mut Reader::new(&rewritten)), Ok(expected));
    assert_eq!((read_argument_count(reader), read_named_argument_count(reader)), (Ok(0), Ok(0)));
    assert_eq!(reader.end(), Ok(()));
}

fn exit(reader: &mut Reader<'_>, context: u64, expected: &Thrown<'_>) {
    assert_eq!(numbers(reader, 1), [context]);
    let mut rewritten = Vec::new();
    expected.write(&mut Writer::new(&mut rewritten));
    assert_eq!(reader.clone().value(), Ok(&rewritten[..]));
    assert_eq!((Thrown::read(reader).as_ref(), reader.end()), (Ok(expected), Ok(())));
}

fn attribute(reader: &mut Reader<'_>, target: u64, name: &str) {
    assert_eq!(numbers(reader, 1), [target]);
    assert_eq!(reader.name("an attribute"), Ok(name));
}

fn failure(payload: &[u8], expected: &Failure) {
    assert_eq!(Failure::read(payload).as_ref(), Ok(expected));
    assert_eq!(written(|buffer| expected.write(buffer)), payload);
}

fn key_error() -> Failure {
    let file = "/srv/classes/Foo/Bar.py";
    let frame = |function: &str, class: Option<&str>, line| Frame {
        function: text(function),
        class: class.map(text),
        file: text(file),
        line,
    };
    Failure {
        category: Category::Python,
        ran: Ran::Yes,
        message: text("'n'"),
        exceptions: vec![RaisedException {
            object: ObjectReference { id: 8, class: 10, traits: 0 },
            class_name: text("KeyError"),
            message: text("'n'"),
            file: Some(text(file)),
            line: 7,
            traceback: Traceback {
                text: text("Traceback …"),
                frames: vec![frame("find", None, 7), frame("twice", Some("Foo_Bar"), 4)],
            },
            php: 0,
        }],
    }
}

fn described(class: u64, bases: Vec<u64>, description: Option<ClassDescription>) -> Described {
    Described { class, fingerprint: FINGERPRINT, bases, description }
}

fn foo_bar() -> ClassDescription {
    let parameter = |name: &str, kind, default| Parameter { name: text(name), kind, default };
    let method = |name: &str, kind, parameters, line| Method {
        name: text(name),
        kind,
        parameters: Some(parameters),
        documentation: None,
        line,
    };
    let literal = |value| DefaultValue::Literal(Literal::Integer(value));
    ClassDescription {
        name: text("Foo_Bar"),
        module: text("Foo.Bar"),
        qualified_name: text("Foo_Bar"),
        file: Some(text("/srv/classes/Foo/Bar.py")),
        line: 1,
        documentation: Some(text("A number.")),
        traits: 0,
        bases: Vec::new(),
        constants: vec![Constant { name: text("SIDES"), value: Literal::Integer(2) }],
        methods: vec![
            method(
                "__construct",
                MethodKind::Constructor,
                vec![parameter("n", ParameterKind::PositionalOrKeyword, literal(1))],
                4,
            ),
            method(
                "twice",
                MethodKind::Instance,
                vec![
                    parameter("plus", ParameterKind::PositionalOrKeyword, literal(0)),
                    parameter("rest", ParameterKind::VariadicKeyword, DefaultValue::Required),
                ],
                5,
            ),
        ],
        properties: Vec::new(),
    }
}

fn numbers(reader: &mut Reader<'_>, count: usize) -> Vec<u64> {
    (0..count).map(|_| reader.unsigned("an id").expect("a number")).collect()
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut buffer = Vec::new();
    write(&mut buffer);
    buffer
}

fn text(text: &str) -> String {
    text.to_owned()
}
