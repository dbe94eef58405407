import type { MedusaContainer } from '@medusajs/framework/types'
import { FeatureFlag, Modules } from '@medusajs/framework/utils'
import { createUsersWorkflow } from '@medusajs/medusa/core-flows'
import type { Wishes } from './wishes'

const provider = 'emailpass'

/**
 * ensureOwner makes the owner's user and login. `medusa user` would take the password as an
 * argument, which every process on the node can read.
 */
export async function ensureOwner(container: MedusaContainer, wanted: Wishes) {
  const auth = container.resolve(Modules.AUTH)
  const user = await ensureUser(container, wanted.email)
  const identity = await ensureIdentity(container, wanted)
  if (identity.app_metadata?.user_id !== user.id) {
    await auth.updateAuthIdentities({ id: identity.id, app_metadata: { user_id: user.id } })
  }
}

async function ensureUser(container: MedusaContainer, email: string) {
  const [found] = await container.resolve(Modules.USER).listUsers({ email })
  if (found) return found
  const roles = await ownersRoles(container)
  const { result: [created] } = await createUsersWorkflow(container).run({ input: { users: [{ email, roles }] } })
  return created
}

async function ownersRoles(container: MedusaContainer): Promise<string[]> {
  if (!FeatureFlag.isFeatureEnabled('rbac')) return []
  const roles = await container.resolve(Modules.RBAC).listRbacRoles({ id: 'role_super_admin' })
  return roles.map((role) => role.id)
}

async function ensureIdentity(container: MedusaContainer, { email, password }: Wishes) {
  const auth = container.resolve(Modules.AUTH)
  const [found] = await auth.listAuthIdentities({ provider_identities: { entity_id: email, provider } })
  if (found) return found
  const { authIdentity, error } = await auth.register(provider, { body: { email, password } })
  if (!authIdentity) throw new Error(`The owner's login cannot be made: ${error}`)
  return authIdentity
}
