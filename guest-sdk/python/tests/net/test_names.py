"""Look-ups by `socket` and by dnspython."""

import socket
import unittest

from bindings import install, world

imports = install()

try:
    import dns.resolver
    import dns.reversename
except ImportError:
    dns = None


class Socket(unittest.TestCase):
    def setUp(self):
        world.reset()

    def test_names_of_addresses_and_addresses_of_names(self):
        world.records = {
            ("a.example", "A"): ["192.0.2.1", "192.0.2.2"],
            ("a.example", "AAAA"): ["2001:db8::1"],
            ("192.0.2.1", "PTR"): ["a.example.", "b.example."],
        }
        self.assertEqual(socket.gethostbyname("a.example"), "192.0.2.1")
        self.assertEqual(socket.gethostbyname("192.0.2.9"), "192.0.2.9")
        self.assertEqual(socket.gethostbyname_ex("a.example"), ("a.example", [], ["192.0.2.1", "192.0.2.2"]))
        self.assertEqual(socket.gethostbyaddr("192.0.2.1"), ("a.example", ["b.example"], ["192.0.2.1"]))
        self.assertEqual(socket.getfqdn("192.0.2.1"), "a.example")
        self.assertEqual(socket.getfqdn("192.0.2.7"), "192.0.2.7")
        places = [place for *_, place in socket.getaddrinfo("a.example", "https", type=socket.SOCK_STREAM)]
        self.assertEqual(places, [("192.0.2.1", 443), ("192.0.2.2", 443), ("2001:db8::1", 443, 0, 0)])
        self.assertEqual(socket.getnameinfo(("192.0.2.1", 80), 0), ("a.example", "80"))
        self.assertEqual(socket.inet_ntoa(socket.inet_aton("192.0.2.1")), "192.0.2.1")

    def test_errors_are_those_of_socket(self):
        with self.assertRaises(socket.gaierror):
            socket.gethostbyname("none.example")
        with self.assertRaises(socket.herror):
            socket.gethostbyaddr("192.0.2.1")
        world.records = {("slow.example", "A"): imports.resolver.ResolveError_TimedOut()}
        with self.assertRaisesRegex(socket.gaierror, "Temporary failure"):
            socket.gethostbyname("slow.example")

    def test_what_is_denied_names_the_line_and_the_grant(self):
        world.records = {("a.example", "A"): imports.resolver.ResolveError_Denied()}
        with self.assertRaisesRegex(PermissionError, r"test_names\.py:\d+: look-up of A a\.example was denied.*`tenter grant MODULE resolver`"):
            socket.gethostbyname("a.example")
        self.assertEqual(world.lines[0][0], "WARNING")


@unittest.skipIf(dns is None, "dnspython is not installed")
class Dnspython(unittest.TestCase):
    def setUp(self):
        world.reset()

    def test_records_of_each_kind(self):
        world.records = {
            ("a.example", "A"): ["192.0.2.1"],
            ("a.example", "MX"): ["10 mail.a.example", "20 mx.b.example."],
            ("a.example", "TXT"): ['v=spf1 "quoted" \\ ä', "x" * 300],
            ("a.example", "NS"): ["ns.a.example"],
            ("1.2.0.192.in-addr.arpa", "PTR"): ["a.example"],
        }
        answer = dns.resolver.resolve("a.example", "A")
        self.assertEqual([record.address for record in answer], ["192.0.2.1"])
        self.assertEqual(answer.rrset[0].to_text(), "192.0.2.1")
        mails = [(mx.preference, str(mx.exchange)) for mx in dns.resolver.resolve("a.example", "MX")]
        self.assertEqual(sorted(mails), [(10, "mail.a.example."), (20, "mx.b.example.")])
        texts = sorted(b"".join(txt.strings) for txt in dns.resolver.resolve("a.example", "TXT"))
        self.assertEqual(texts, ['v=spf1 "quoted" \\ ä'.encode(), b"x" * 300])
        reverse = dns.reversename.from_address("192.0.2.1")
        self.assertEqual(str(dns.resolver.resolve(reverse, "PTR")[0]), "a.example.")
        self.assertEqual(str(dns.resolver.resolve_address("192.0.2.1")[0]), "a.example.")

    def test_a_chosen_server_is_asked(self):
        world.records = {("a.example", "A"): ["192.0.2.1"]}
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["192.0.2.53"]
        resolver.timeout = resolver.lifetime = 2
        resolver.resolve("a.example")
        dns.resolver.Resolver().resolve("a.example")
        self.assertEqual([server for _, _, server in world.lookups], ["192.0.2.53", None])
        resolver.port = 5353
        resolver.resolve("a.example")
        self.assertEqual(world.lookups[-1][2], "192.0.2.53:5353")

    def test_errors_are_those_of_dnspython(self):
        resolver = imports.resolver
        world.records = {
            ("a.example", "A"): ["192.0.2.1"],
            ("slow.example", "A"): resolver.ResolveError_TimedOut(),
            ("broken.example", "A"): resolver.ResolveError_Other("the server failed"),
            ("secret.example", "A"): resolver.ResolveError_Denied(),
        }
        with self.assertRaises(dns.resolver.NXDOMAIN):
            dns.resolver.resolve("none.example", "A")
        with self.assertRaises(dns.resolver.NoAnswer):
            dns.resolver.resolve("a.example", "MX")
        with self.assertRaises(dns.resolver.NXDOMAIN):
            dns.resolver.resolve(dns.reversename.from_address("192.0.2.1"), "PTR")
        with self.assertRaises(dns.exception.Timeout):
            dns.resolver.resolve("slow.example", "A")
        with self.assertRaisesRegex(dns.resolver.NoNameservers, "the server failed"):
            dns.resolver.resolve("broken.example", "A")
        with self.assertRaisesRegex(PermissionError, r"test_names\.py:\d+: .*`tenter grant MODULE resolver`"):
            dns.resolver.resolve("secret.example", "A")
        chosen = dns.resolver.Resolver(configure=False)
        chosen.nameservers = ["192.0.2.53"]
        with self.assertRaisesRegex(PermissionError, r"at 192\.0\.2\.53 was denied; it needs the grant `tenter grant MODULE resolver 192\.0\.2\.53`"):
            chosen.resolve("secret.example", "A")


if __name__ == "__main__":
    unittest.main()
