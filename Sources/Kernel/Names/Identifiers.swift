/// What an id identifies.
///
/// The types have no values: they keep the id of a stack from being passed where the id of a user is meant.
package enum Entity {
    package enum User {}
    package enum Organization {}
    package enum Team {}
    package enum AccessToken {}
    package enum OIDCIssuer {}
    package enum AuthorizationPolicy {}
    package enum Project {}
    package enum Stack {}
    package enum Update {}
    package enum StateObject {}
    package enum AuditEvent {}
    package enum DomainEvent {}
    package enum Job {}
    package enum Request {}
}

package typealias UserID = ID<Entity.User>
package typealias OrganizationID = ID<Entity.Organization>
package typealias TeamID = ID<Entity.Team>
package typealias AccessTokenID = ID<Entity.AccessToken>
package typealias OIDCIssuerID = ID<Entity.OIDCIssuer>
package typealias AuthorizationPolicyID = ID<Entity.AuthorizationPolicy>
package typealias ProjectID = ID<Entity.Project>
package typealias StackID = ID<Entity.Stack>
package typealias UpdateID = ID<Entity.Update>
package typealias AuditEventID = ID<Entity.AuditEvent>
package typealias DomainEventID = ID<Entity.DomainEvent>
package typealias JobID = ID<Entity.Job>
package typealias RequestID = ID<Entity.Request>
