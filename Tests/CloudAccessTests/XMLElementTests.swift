import CloudAccess
import Testing

@Suite("XML of services")
struct XMLElementTests {
    @Test("is read with its names, texts and order")
    func reads() throws {
        let text = """
            \u{FEFF}<?xml version="1.0" encoding="UTF-8"?>
            <!-- a list -->
            <s3:List xmlns:s3="http://s3.amazonaws.com/doc/" a='>'>
              <Key>a&amp;b &lt;&#x41;&#66;&gt;&quot;&apos;</Key><Key><![CDATA[<&>]]></Key>
              <Empty/><Inner><Deep x="1" >t</Deep ></Inner><!-- c -->
            </s3:List>

            """

        let root = try #require(XMLElement.parse(Array(text.utf8)))

        #expect(root.name == "List")
        #expect(root.all("Key").map(\.text) == ["a&b <AB>\"'", "<&>"])
        #expect(root["Empty"]?.text == "" && root["Empty"]?.children.isEmpty == true)
        #expect(root["Inner"]?["Deep"]?.text == "t")
        #expect(root["Missing"] == nil)
    }

    @Test(
        "is refused when it is not well-formed, or could grow",
        arguments: [
            "", " ", "text", "<a>", "<a></b>", "<a/><b/>", "<a b></a>", "<a b=c></a>", "<a>&nbsp;</a>",
            "<a>&#xD800;</a>",
            "<a>&amp</a>", "<a", "<a><!-- </a>", "<a><![CDATA[</a>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
            "<a><!DOCTYPE b></a>", String(repeating: "<a>", count: 40) + String(repeating: "</a>", count: 40),
        ]
    )
    func refuses(text: String) {
        #expect(XMLElement.parse(Array(text.utf8)) == nil)
    }

    @Test("is never read outside of its bytes, wherever it is cut off")
    func survivesCuts() {
        let text = Array("<?xml?><a b='c'><!-- x --><d>&lt;&#65;</d><![CDATA[e]]><f/></a>".utf8)

        for end in text.indices {
            #expect(XMLElement.parse(Array(text[..<end])) == nil)
        }
        #expect(XMLElement.parse(text) != nil)
    }
}
