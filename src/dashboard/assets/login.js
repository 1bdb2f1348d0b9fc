// Shows the invitation that stands behind `#`, once, and goes on to the dashboard.

const invitation = location.hash.slice(1);
history.replaceState(null, "", "/login");
const said = document.getElementById("said");
try {
  const answer = await fetch("/login", { method: "POST", body: invitation });
  if (answer.ok) location.replace("/");
  else said.textContent = await answer.text();
} catch {
  said.textContent = "locald does not answer.";
}
