/// What a caller asks of a list: how many, and what follows which item.
package struct PageRequest<Cursor: Sendable>: Sendable {
    /// At least 1; the route has cut it to what the operation allows.
    package var limit: Int
    /// The last item of the previous page; nil for the first page.
    package var after: Cursor?

    package init(limit: Int, after: Cursor? = nil) {
        self.limit = limit
        self.after = after
    }
}

/// One page of a list.
package struct Page<Item: Sendable>: Sendable {
    package var items: [Item]
    /// Whether items follow the last one here.
    package var hasMore: Bool

    package init(items: [Item], hasMore: Bool) {
        self.items = items
        self.hasMore = hasMore
    }

    /// Cuts what a store fetched (`limit + 1` rows) to the page.
    package init(fetched: [Item], limit: Int) {
        items = Array(fetched.prefix(limit))
        hasMore = fetched.count > limit
    }

    package func map<Other: Sendable>(_ transform: (Item) throws -> Other) rethrows -> Page<Other> {
        Page<Other>(items: try items.map(transform), hasMore: hasMore)
    }
}
