"""For every pattern rule a piece of code that it must find, and one like it that it must leave alone."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, str]] = {
    "javascript/no-eval": ("eval(input)\n", "evaluate(input)\n"),
    "javascript/no-implied-eval": ("setTimeout('run()', 10)\n", "setTimeout(() => run(), 10)\n"),
    "javascript/unsafe-html": ("box.innerHTML = name\n", "box.innerHTML = ''\n"),
    "javascript/hardcoded-secret": ('const apiKey = "abcd1234efgh"\n', "const apiKey = process.env.API_KEY\n"),
    "javascript/sql-concatenation": (
        "db.query(`SELECT * FROM t WHERE id = ${id}`)\n",
        "db.query('SELECT * FROM t WHERE id = ?', [id])\n",
    ),
    "javascript/command-injection": ("exec(`ls ${folder}`)\n", "pattern.exec(head + tail)\n"),
    "javascript/tls-not-verified": ("go({ rejectUnauthorized: false })\n", "go({ rejectUnauthorized: true })\n"),
    "javascript/weak-hash": ("crypto.createHash('md5')\n", "crypto.createHash('sha256')\n"),
    "javascript/loose-equality": ("same(a == b)\n", "same(a === b, a == null)\n"),
    "javascript/assignment-in-condition": ("if (a = b) { go() }\n", "if (a === b) { go() }\n"),
    "javascript/compare-with-nan": ("same(a === NaN)\n", "same(Number.isNaN(a))\n"),
    "javascript/async-for-each": ("list.forEach(async (x) => { await go(x) })\n", "list.forEach((x) => go(x))\n"),
    "javascript/empty-catch": ("try { go() } catch (e) { }\n", "try { go() } catch (e) { /* expected */ }\n"),
    "javascript/debugger": ("debugger\n", "debug()\n"),
    "javascript/console-log": ("console.log(a)\n", "console.error(a)\n"),
    "typescript/explicit-any": ("let a: any\n", "let a: unknown\n"),
    "typescript/suppressed-check": ("// @ts-ignore\ngo()\n", "// @ts-expect-error: upstream\ngo()\n"),
    "typescript/non-null-assertion": ("go(a!.b)\n", "go(a?.b)\n"),
    "typescript/double-assertion": ("go(a as unknown as B)\n", "go(a as B)\n"),
    "typescript/function-type": ("let f: Function\n", "let f: () => void\n"),
    "typescript/wrapper-type": ("let a: String\n", "let a: string\n"),
    "typescript/require-import": ('const fs = require("fs")\n', 'import fs from "fs"\n'),
    "go/sql-concatenation": (
        'package a\nfunc f() { db.Query(fmt.Sprintf("SELECT %s FROM t", c)) }\n',
        'package a\nfunc f() { db.Query("SELECT a FROM t WHERE id = ?", id) }\n',
    ),
    "go/command-injection": (
        'package a\nfunc f() { exec.Command("sh", "-c", line).Run() }\n',
        'package a\nfunc f() { exec.Command("ls", "-l", folder).Run() }\n',
    ),
    "go/tls-not-verified": (
        "package a\nvar c = tls.Config{InsecureSkipVerify: true}\n",
        "package a\nvar c = tls.Config{InsecureSkipVerify: false}\n",
    ),
    "go/weak-hash": ("package a\nfunc f() { h(md5.New()) }\n", "package a\nfunc f() { h(sha256.New()) }\n"),
    "go/hardcoded-secret": ('package a\nconst apiKey = "abcd1234efgh"\n', 'package a\nvar apiKey = os.Getenv("K")\n'),
    "go/ignored-error": ("package a\nfunc f() { a, _ := g() }\n", "package a\nfunc f() { a, err := g() }\n"),
    "go/empty-error-check": (
        "package a\nfunc f() { if err != nil {\n} }\n",
        "package a\nfunc f() error { if err != nil {\nreturn err\n}; return nil }\n",
    ),
    "go/defer-in-loop": (
        "package a\nfunc f() { for _, x := range xs {\ndefer x.Close()\n} }\n",
        "package a\nfunc f() { defer x.Close() }\n",
    ),
    "go/panic": ('package a\nfunc f() { panic("no") }\n', "package a\nfunc f() { recover() }\n"),
    "go/self-comparison": (
        "package a\nfunc f() bool { return a == a }\n",
        "package a\nfunc f() bool { return a == b }\n",
    ),
    "go/unsafe-pointer": ("package a\nvar p = unsafe.Pointer(&x)\n", "package a\nvar p = &x\n"),
    "java/sql-concatenation": (
        'class A { void f() { s.executeQuery("SELECT a FROM t WHERE id=" + id); } }\n',
        'class A { void f() { c.prepareStatement("SELECT a FROM t WHERE id=?"); } }\n',
    ),
    "java/command-injection": (
        'class A { void f() { Runtime.getRuntime().exec("ls " + d); } }\n',
        'class A { void f() { Runtime.getRuntime().exec("ls"); } }\n',
    ),
    "java/hardcoded-secret": (
        'class A { String password = "abcd1234efgh"; }\n',
        'class A { String password = System.getenv("P"); }\n',
    ),
    "java/weak-hash": (
        'class A { Object f() { return MessageDigest.getInstance("MD5"); } }\n',
        'class A { Object f() { return MessageDigest.getInstance("SHA-256"); } }\n',
    ),
    "java/tls-not-verified": (
        "class A { Object f = NoopHostnameVerifier.INSTANCE; }\n",
        "class A { Object f = DefaultVerifier.INSTANCE; }\n",
    ),
    "java/unsafe-deserialization": (
        "class A { Object f() { return new ObjectInputStream(in); } }\n",
        "class A { Object f() { return new FileInputStream(in); } }\n",
    ),
    "java/string-identity": (
        'class A { boolean f() { return name == "x"; } }\n',
        'class A { boolean f() { return "x".equals(name); } }\n',
    ),
    "java/empty-catch": (
        "class A { void f() { try { g(); } catch (IOException e) { } } }\n",
        "class A { void f() { try { g(); } catch (IOException e) { h(e); } } }\n",
    ),
    "java/catch-throwable": (
        "class A { void f() { try { g(); } catch (Throwable e) { h(e); } } }\n",
        "class A { void f() { try { g(); } catch (NotThrowable e) { h(e); } } }\n",
    ),
    "java/print-stack-trace": (
        "class A { void f() { e.printStackTrace(); } }\n",
        "class A { void f() { log.error(e); } }\n",
    ),
    "java/system-exit": ("class A { void f() { System.exit(1); } }\n", "class A { void f() { app.exit(1); } }\n"),
    "java/system-out": (
        'class A { void f() { System.out.println("x"); } }\n',
        'class A { void f() { log.println("x"); } }\n',
    ),
    "rust/sql-format": (
        'fn f() { db.execute(&format!("SELECT {}", a)); }\n',
        'fn f() { db.execute("SELECT ?", a); }\n',
    ),
    "rust/command-injection": (
        'fn f() { Command::new("sh").arg("-c").arg(line); }\n',
        'fn f() { Command::new("ls").arg("-l").arg(folder); }\n',
    ),
    "rust/tls-not-verified": (
        "fn f() { b.danger_accept_invalid_certs(true); }\n",
        "fn f() { b.danger_accept_invalid_certs(false); }\n",
    ),
    "rust/hardcoded-secret": ('const API_KEY: &str = "abcd1234efgh";\n', 'const API_KEY: &str = env!("API_KEY");\n'),
    "rust/transmute": ("fn f() { g(mem::transmute::<A, B>(a)) }\n", "fn f() { g(B::from(a)) }\n"),
    "rust/unsafe-block": ("fn f() { unsafe { g() } }\n", "unsafe fn f() { g() }\n"),
    "rust/weak-hash": ("fn f() { h(Md5::new()) }\n", "fn f() { h(Sha256::new()) }\n"),
    "rust/unwrap": ("fn f() { g().unwrap(); }\n", "fn f() { g().unwrap_or(1); }\n"),
    "rust/panic": ("fn f() { todo!() }\n", "fn f() { assert!(a) }\n"),
    "rust/debug-macro": ("fn f() { dbg!(a); }\n", "fn f() { debug!(a); }\n"),
    "rust/ignored-result": ("fn f() { let _ = g(); }\n", "fn f() { let _a = g(); }\n"),
    "rust/float-equality": ("fn f() -> bool { a == 0.1 }\n", "fn f() -> bool { a == 1 }\n"),
    "rust/leaked-memory": ("fn f() { mem::forget(a); }\n", "fn f() { drop(a); }\n"),
}
