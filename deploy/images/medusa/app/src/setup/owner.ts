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
  const user = await createUser(container, email)
  const { authIdentity, error } = await auth.register('emailpass', { body: { email, password } })
  if (!authIdentity) throw new Error(`Can’t create the owner’s login: ${error}`)
  await auth.updateAuthIdentities({ id: authIdentity.id, app_metadata: { user_id: user } })
}

/**
 * ensureOwner gives the owner that password in a shop that has users already. Who has the address there,
 * as a user or as a customer, is the owner.
 */
export async function ensureOwner(container: MedusaContainer, settings: Settings) {
  const { email, password } = settings
  const auth = container.resolve(Modules.AUTH)
  const [found] = await container.resolve(Modules.USER).listUsers({ email })
  const [login] = await auth.listProviderIdentities({ entity_id: email, provider: 'emailpass' }, { relations: ['auth_identity'] })
  if (!found && !login) return createOwner(container, settings)
  const user = found?.id ?? (await createUser(container, email))
  if (login) {
    const { success, error } = await auth.updateProvider('emailpass', { entity_id: email, password })
    if (!success) throw new Error(`Can’t set the owner’s password: ${error}`)
  } else {
    const { success, error } = await auth.register('emailpass', { body: { email, password } })
    if (!success) throw new Error(`Can’t create the owner’s login: ${error}`)
  }
  const [{ auth_identity: identity }] = await auth.listProviderIdentities({ entity_id: email, provider: 'emailpass' }, { relations: ['auth_identity'] })
  await auth.updateAuthIdentities({ id: identity!.id, app_metadata: { ...identity!.app_metadata, user_id: user } })
}

async function createUser(container: MedusaContainer, email: string): Promise<string> {
  const roles = await ownersRoles(container)
  const { result: [user] } = await createUsersWorkflow(container).run({ input: { users: [{ email, roles }] } })
  return user.id
}

async function ownersRoles(container: MedusaContainer): Promise<string[]> {
  if (!FeatureFlag.isFeatureEnabled('rbac')) return []
  const roles = await container.resolve(Modules.RBAC).listRbacRoles({ id: 'role_super_admin' })
  return roles.map((role) => role.id)
}
