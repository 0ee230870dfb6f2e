-- Identify calls, each trait beside the last step of its person that states it. The code adds the traits.
SELECT uid, step, user_id
FROM profile_steps
