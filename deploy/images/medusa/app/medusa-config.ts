import { defineConfig } from '@medusajs/framework/utils'

// One shop at one address: pages, admin and API have the same origin.
const shop = process.env.SHOP_URL ?? 'http://localhost:9000'
const redisUrl = process.env.REDIS_URL

module.exports = defineConfig({
  admin: { backendUrl: '/' },
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    databaseDriverOptions: { ssl: false, sslmode: 'disable' },
    redisUrl,
    // Browsers do not send a secure cookie over plain HTTP: nobody could sign in.
    cookieOptions: { secure: shop.startsWith('https:'), sameSite: 'lax' },
    http: {
      storeCors: shop,
      adminCors: shop,
      authCors: shop,
      jwtSecret: process.env.JWT_SECRET,
      cookieSecret: process.env.COOKIE_SECRET,
    },
  },
  modules: [
    {
      resolve: '@medusajs/medusa/file',
      options: {
        providers: [{ resolve: '@medusajs/medusa/file-local', id: 'local', options: { upload_dir: 'static', backend_url: `${shop}/static` } }],
      },
    },
    ...(redisUrl ? inRedis(redisUrl) : []),
  ],
})

// Events and workflows that are under way outlive a restart. Without Redis, as while the
// project is built, Medusa keeps them in its own memory.
function inRedis(redisUrl: string) {
  return [
    { resolve: '@medusajs/medusa/event-bus-redis', options: { redisUrl } },
    { resolve: '@medusajs/medusa/workflow-engine-redis', options: { redis: { redisUrl } } },
    {
      resolve: '@medusajs/medusa/locking',
      options: { providers: [{ resolve: '@medusajs/medusa/locking-redis', id: 'locking-redis', is_default: true, options: { redisUrl } }] },
    },
  ]
}
