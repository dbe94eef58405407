import type { MedusaContainer } from '@medusajs/framework/types'
import { FeatureFlag, Modules } from '@medusajs/framework/utils'
import { createUsersWorkflow } from '@medusajs/medusa/core-flows'
import type { Settings } from './settings'

/**
 * createOwner creates the owner's user and login. `medusa user` would take the password as an
 * argument, which every process on the node can read.
 */
export async function createOwner(container: MedusaContainer, { email, password }: Settings) {
  const auth = container.resolve(Modules.AUTH)
  const roles = await ownersRoles(container)
  const { result: [user] } = await createUsersWorkflow(container).run({ input: { users: [{ email, roles }] } })
  const { authIdentity, error } = await auth.register('emailpass', { body: { email, password } })
  if (!authIdentity) throw new Error(`Can’t create the owner’s login: ${error}`)
  await auth.updateAuthIdentities({ id: authIdentity.id, app_metadata: { user_id: user.id } })
}

async function ownersRoles(container: MedusaContainer): Promise<string[]> {
  if (!FeatureFlag.isFeatureEnabled('rbac')) return []
  const roles = await container.resolve(Modules.RBAC).listRbacRoles({ id: 'role_super_admin' })
  return roles.map((role) => role.id)
}
